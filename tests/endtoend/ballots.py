"""A process of its own that votes: it prints the ballots of both bundled voters, signed, on every kind of proposal.

``python ballots.py FOLDER ORDER``: facts are written, proposals judged and evidence shown in an order that ORDER picks.
"""

from __future__ import annotations

import locale
import sys
from contextlib import suppress
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from coinswarm.canonical import digest, sha256
from coinswarm.clock import DAY_NS, HOUR_NS
from coinswarm.domain.episode import Space
from coinswarm.domain.proposal import (
    AddEpisode,
    Configure,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SeatAgent,
    Stage,
)
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.promotion.weights import change_of_weights
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.memory.quorum.log import Request, decide
from coinswarm.memory.quorum.records import Ballot, Envelope
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.recall.privatelog import proposed
from coinswarm.memory.store.facts import ClosedTrade
from coinswarm.memory.store.opening import open_store
from coinswarm_testkit.cases.case import bent, closed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.domain.acceptance import Evidence
    from coinswarm.domain.episode import Episode
    from coinswarm.memory.store.opening import Store

T = TypeVar("T")

SIGNERS = [Ed25519Signer(bytes([number]) * 32) for number in range(1, 4)]
ROSTER = Roster(
    version=0,
    faulty=0,
    rules=digest("rules"),
    voters=(Seat("v0", SIGNERS[0].key), Seat("v1", SIGNERS[1].key)),
    submitters=(Seat("operator", SIGNERS[2].key),),
)
SPACE = Space("north", "trend/state.1", 4)
BEGIN = 1_704_067_200_000_000_000
DAYS = 250


class Desk:
    """One store, and the order in which things happen to it.

    :param chance: picks the order.
    """

    def __init__(self, folder: Path, chance: Random) -> None:
        self.now, self.chance, self.count = BEGIN, chance, 0
        self.store: Store = open_store(str(folder / "swarm.db"), "north", "main", roster=ROSTER, clock=lambda: self.now)

    def mixed(self, things: Iterable[T]) -> list[T]:
        """In another order."""
        listed = list(things)
        return self.chance.sample(listed, len(listed))

    def envelope(self, proposal: Proposal, nonce: int) -> Envelope:
        return Envelope(
            cluster="north", shard="main", roster=0, submitter="operator", nonce=nonce, deadline_ns=1 << 62,
            proposal=proposal,
        ).signed(SIGNERS[2])  # fmt: skip

    def accept(self, proposal: Proposal) -> None:
        """Have the log take it, whatever voters would say."""
        self.count += 1
        asked = self.envelope(proposal, self.count)
        proof = tuple(ballot(name, asked, accepts=True, found=digest("found"), desk=self) for name in ("v0", "v1"))
        decide(self.store.log, (Request(envelope=asked, proof=proof, epoch=0),), Ed25519Scheme())

    def evidence(self, envelope: Envelope) -> Evidence:
        """What is committed, its tuples in another order."""
        found = Gatherer(self.store)(envelope)
        if found is None:
            message = f"no evidence on {envelope.proposal.subject}"
            raise LookupError(message)
        told = {field.name: getattr(found, field.name) for field in fields(found)}
        mixed: dict[str, Any] = {
            name: tuple(self.mixed(value)) for name, value in told.items() if isinstance(value, tuple)
        }
        mixed["exhibits"] = tuple(replace(row, episodes=tuple(self.mixed(row.episodes))) for row in mixed["exhibits"])
        return replace(found, **(mixed | {"discoveries": found.discoveries}))


def ballot(name: str, asked: Envelope, *, accepts: bool, found: str, desk: Desk) -> Ballot:
    """A vote of a seat."""
    return Ballot(
        cluster="north", shard="main", roster=0, proposal=asked.id, accepts=accepts, findings=found, voter=name,
        seen=desk.store.log.read(0, 0, 0).head,
    ).signed(SIGNERS[int(name[1:])])  # fmt: skip


def moved(stage: Stage, base: int, cited: tuple[Reference, ...] = (), capital: int = 0) -> Proposal:
    """A step of the pattern."""
    kind = ProposalKind.PROMOTE_PATTERN if cited else ProposalKind.UPDATE_PATTERN
    if stage is Stage.DEPRECATED:
        kind = ProposalKind.DEPRECATE_PATTERN
    change = MovePattern(
        pattern="dip", stage=stage, hypothesis="Dips are bought.", variants=4,
        registered_ns=BEGIN if cited else 0, capital_bp=capital,
    )  # fmt: skip
    return Proposal(kind=kind, subject="pattern/dip", base_version=base, change=change, evidence=cited)


def ledger(one: Episode) -> ClosedTrade:
    """A trade of the pattern."""
    return ClosedTrade(
        episode=one, entry_price=Decimal(100), exit_price=Decimal(101), pnl=one.result_ppm, slippage_bps=2,
        opened_ns=one.decided_ns, closed_ns=one.known_ns, patterns=("dip",),
    )  # fmt: skip


def facts(desk: Desk) -> tuple[tuple[Reference, ...], tuple[Reference, ...], Episode]:
    """What a session writes; where a pattern's record and agents' returns are cited from, and a trade."""
    rng = np.random.default_rng(5)
    first = BEGIN // DAY_NS + 1
    told = closed(bent(rng, DAYS, 2_800, 10_000), first=first)
    variants = {f"v{n}": bent(rng, DAYS, mean, 5_000) for n, mean in enumerate((900, 250, 200, 300), 1)}
    agents = {name: bent(rng, DAYS, mean, 3_000) for name, mean in (("trend", -500), ("meanrev", 900), ("slow", 300))}
    vectors = {one.id: np.arange(1, 5, dtype="<f4").tobytes() for one in told[:1]}
    for begin in range(0, DAYS, 50):  # a record is in the order in which these follow one another
        desk.store.facts.add_trades([ledger(one) for one in desk.mixed(told[begin : begin + 50])])
    trials = {
        name: desk.store.facts.add_returns(f"trials/dip/{name}", first, variants[name]) for name in desk.mixed(variants)
    }
    returns = {
        name: desk.store.facts.add_returns(f"returns/{name}", first, agents[name]) for name in desk.mixed(agents)
    }
    for name in desk.mixed(agents):
        desk.store.facts.add_certificate(name, digest(name), "silver")
    desk.store.facts.add_space(SPACE)
    desk.store.facts.add_vectors(list(vectors.values()))
    record = desk.store.facts.cite_trades("dip")
    assert record is not None
    return (record, *(trials[n] for n in sorted(trials))), tuple(returns[n] for n in sorted(returns)), told[0]


def proposals(cited: tuple[Reference, ...], returns: tuple[Reference, ...], trade: Episode) -> dict[str, Proposal]:
    """Of every kind, what holds and what does not; drawdowns are resampled, drifts are summed."""
    remember = proposed(SPACE, trade, np.arange(1, 5, dtype="<f4").tobytes())
    assert isinstance(remember.change, AddEpisode)
    seat = SeatAgent(agent="trend", certificate=digest("trend"), reason="It earned silver.")
    admission = (Reference("certificates/trend", digest("trend")),)
    better = {"trend": 3_000, "meanrev": 4_000, "slow": 3_000}
    worse = {"trend": 4_500, "meanrev": 2_500, "slow": 3_000}
    return {
        "episode": remember,
        "episode, another result": replace(
            remember, change=replace(remember.change, episode=replace(trade, result_ppm=trade.result_ppm + 1))
        ),
        "registration": moved(Stage.CANDIDATE, 2),
        "shadow": moved(Stage.SHADOW, 2, cited),
        "probation": moved(Stage.PROBATION, 2, cited, 100),
        "enabled": moved(Stage.ENABLED, 2, cited, 1_000),
        "demotion": moved(Stage.DEPRECATED, 2, cited[:1]),
        "weights": change_of_weights(better, 300, version=1, evidence=returns),
        "weights that are worse": change_of_weights(worse, 300, version=1, evidence=returns),
        "admission": Proposal(
            kind=ProposalKind.ADMIT_AGENT, subject="agent/trend", base_version=0, change=seat, evidence=admission
        ),
        "setting": Proposal(
            kind=ProposalKind.CONFIGURE, subject="acceptance/max-weight-bp", base_version=0,
            change=Configure("acceptance.max-weight-bp", "6000"),
        ),
    }  # fmt: skip


def main(folder: Path, order: int) -> None:
    """Print a line for each proposal and voter."""
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    desk = Desk(folder, Random(order))  # noqa: S311 - an order, no secret
    desk.accept(moved(Stage.CANDIDATE, 0))
    cited, returns, trade = facts(desk)
    desk.now += HOUR_NS
    desk.accept(change_of_weights({"trend": 4_000, "meanrev": 3_000, "slow": 3_000}, 300, version=0, evidence=()))
    desk.now += DAY_NS
    desk.accept(moved(Stage.SHADOW, 1, cited))
    desk.now += (DAYS + 2) * DAY_NS
    lines = []
    voters = {"v0": DecimalVoter(), "v1": IntegerVoter()}
    known = proposals(cited, returns, trade)
    numbers = {what: number for number, what in enumerate(known, 100)}
    for what in desk.mixed(known):
        asked = desk.envelope(known[what], numbers[what])
        for name in desk.mixed(voters):
            seen = desk.evidence(asked)
            verdict = voters[name].evaluate(asked.proposal, seen)
            vote = ballot(name, asked, accepts=verdict.accepts, found=findings(verdict, seen), desk=desk)
            told = what, name, "accept" if vote.accepts else "reject", vote.findings, sha256(vote.body), vote.signature
            lines.append("|".join(told))
    print(*sorted(lines), sep="\n")  # noqa: T201 - to whoever started it
    desk.store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
