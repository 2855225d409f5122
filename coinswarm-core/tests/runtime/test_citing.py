"""What is left out of a proposal is what the store says now; what it does not hold is told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.canonical import digest
from coinswarm.cli.proposing import KINDS
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import MovePattern, ProposalKind, SeatAgent
from coinswarm.errors import DataError
from coinswarm.memory.quorum.codec import MalformedError, proposal_from
from coinswarm.memory.store.facts import ClosedTrade
from coinswarm.runtime.citing import completed, is_whole, subject_of
from coinswarm.runtime.examples import EXAMPLES
from coinswarm_testkit.quorum.decided import DecidedLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from coinswarm.domain.proposal import Proposal, Reference

ID = "0" * 64


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DecidedLog]:
    made = DecidedLog(tmp_path / "swarm.db")
    yield made
    made.close()


def example(kind: ProposalKind) -> dict[str, Any]:
    """A file of that kind, as JSON gives it."""
    return {"kind": kind.value, "claims": [], "evidence": [], **EXAMPLES[kind]}


def told(log: DecidedLog, content: dict[str, Any]) -> Proposal:
    """The proposal that it comes to."""
    assert not is_whole(content) or content["kind"] in {"configure", "add_episodes"}
    whole = completed(log.store, content)
    assert is_whole(whole)
    return proposal_from({"base_version": 0, "subject": subject_of(whole), **whole})


def facts(log: DecidedLog) -> dict[str, Reference]:
    """What the examples cite, by place."""
    store = log.store.facts
    one = Episode(id=ID, agent="trend", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=3, risk_ppm=4)
    [trade] = store.add_trades([
        ClosedTrade(
            episode=one, entry_price=Decimal(1), exit_price=Decimal(2), pnl=3, slippage_bps=1, opened_ns=1, closed_ns=2,
            patterns=("dip",),
        )
    ])  # fmt: skip
    trades = store.cite_trades("dip")
    assert trades is not None
    series = ["returns/trend", "returns/meanrev", *(f"trials/dip/v{number}" for number in range(1, 5))]
    cited = [trade, trades, *(store.add_returns(place, 20_000, [1, 2]) for place in series)]
    cited.append(store.add_certificate("trend", digest("trend"), "silver"))
    return {reference.place: reference for reference in cited}


@pytest.mark.parametrize("kind", list(ProposalKind))
def test_the_example_of_each_kind_is_a_proposal(log: DecidedLog, kind: ProposalKind) -> None:
    known = facts(log)
    if kind in {ProposalKind.PROMOTE_PATTERN, ProposalKind.DEPRECATE_PATTERN}:
        with pytest.raises(DataError, match="the pattern 'dip' was never registered: propose it by update_pattern"):
            told(log, example(kind))
        log.decided(told(log, example(ProposalKind.UPDATE_PATTERN)), accepts=False)
        with pytest.raises(DataError, match="never registered"):
            told(log, example(kind))
        log.decided(told(log, example(ProposalKind.UPDATE_PATTERN)))
    found = told(log, example(kind))
    assert found.kind is kind
    assert list(found.evidence) == [known[place] for place in EXAMPLES[kind].get("evidence", [])]
    if isinstance(found.change, SeatAgent):
        assert found.change.certificate == digest("trend")
    if isinstance(found.change, MovePattern):
        registers = kind is ProposalKind.UPDATE_PATTERN
        last = 0 if registers else log.store.log.read(0, 1, 1).entries[0].at_ns
        assert found.change.registered_ns == last


@pytest.mark.parametrize(
    ("episodes", "why"),
    [
        ([], "number of episodes"),
        ([{}], "space"),
        ("none", "number of episodes"),
        ([0, 0], "AddEpisode cannot be read"),
    ],
)
def test_of_what_is_no_proposal_no_subject_is_known(episodes: object, why: str) -> None:
    content = example(ProposalKind.ADD_EPISODES)
    with pytest.raises(MalformedError, match=why):
        subject_of({**content, "change": {"episodes": episodes}})
    one = content["change"]["episodes"][0]
    with pytest.raises(MalformedError, match="twice"):
        subject_of({**content, "change": {"episodes": [one, one]}})
    with pytest.raises(MalformedError):
        subject_of({**content, "change": None})


def test_the_command_knows_every_kind() -> None:
    assert list(KINDS) == [kind.value for kind in ProposalKind]


def test_what_is_said_is_not_looked_up(log: DecidedLog) -> None:
    cited = {"place": "trades/dip", "digest": digest("mine")}
    content = {**example(ProposalKind.SUSPEND_AGENT), "evidence": [cited]}
    content["change"] = {**content["change"], "certificate": digest("mine")}
    assert is_whole(content)
    assert completed(log.store, content) == content


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ("trades/dip", "nothing lies at trades/dip in the store: it is written by sessions"),
        ("returns/trend", "nothing lies at returns/trend in the store"),
        ("certificates/trnd", "no certificate of 'trnd': did you mean 'trend'?"),
        ("elsewhere/x", "'elsewhere/x' is no place of evidence: write trade/…"),
        ("", "'' is no place of evidence"),
    ],
)
def test_what_the_store_does_not_hold_is_told(log: DecidedLog, evidence: str, why: str) -> None:
    log.store.facts.add_certificate("trend", digest("trend"), "silver")
    with pytest.raises(DataError) as caught:
        completed(log.store, {"kind": "configure", "evidence": [evidence]})
    assert why in str(caught.value)
