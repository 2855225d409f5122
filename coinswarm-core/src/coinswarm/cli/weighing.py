"""How ``coinswarm weights propose`` and ``rollback`` ask: judged here first, then by the quorum."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from coinswarm.cli.proposing import WORDS
from coinswarm.cli.tables import emit, emit_json
from coinswarm.cli.telling import tell
from coinswarm.cli.weights import MOVED, nothing, previous
from coinswarm.errors import NotReadyError, OperatorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from coinswarm.config.swarm import SwarmProfile
    from coinswarm.domain.acceptance import Verdict
    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.promotion.weights import Weighing
    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.fallen import Fall
    from coinswarm.runtime.swarm.desk import Ended


class Wanted(NamedTuple):
    """Weights that are asked for: agent -> basis points, and the fall at which they are taken back."""

    weights: dict[str, int]
    rollback_bp: int


class Judged(NamedTuple):
    """A proposal, what it starts from, and how core's voters judge it."""

    proposal: Proposal
    before: dict[str, int]
    after: dict[str, int]
    verdicts: dict[str, Verdict]
    fallen: bool

    @property
    def accepted(self) -> bool:
        """Whether both accept it."""
        return all(verdict.accepts for verdict in self.verdicts.values())


def ask(  # noqa: PLR0913 - one parameter per option
    wanted: Wanted | None,
    path: Path,
    overrides: Sequence[str],
    *,
    check: bool,
    as_json: bool,
    if_due: bool = False,
) -> None:
    """Judge a change of weights here, propose it, and tell how it ended.

    :param wanted: None: those before.
    :param if_due: do nothing unless the weights in force have fallen as far as they may.
    :raises click.exceptions.Exit: with 1 where it is not accepted.
    """
    from functools import partial

    from coinswarm.config.swarm import load_swarm
    from coinswarm.memory.evidence.weighings import weighings
    from coinswarm.memory.store.opening import opened
    from coinswarm.runtime.fallen import Fall, fall_of
    from coinswarm.runtime.swarm.assembly import driven
    from coinswarm.runtime.swarm.opening import address_of

    profile = load_swarm(path, overrides)
    section = profile.swarm
    with opened(address_of(section), section.cluster, section.shard) as store:
        # Read once, and first: of weights that come into force meanwhile nobody asked whether they fell.
        version, found = weighings(store)
        fall = fall_of(store) if if_due else Fall(due=True)
        judged = _judged(store, profile, wanted, version, found) if fall.due else None
    if judged is None:
        _not_due(fall, decided=bool(found), as_json=as_json)
        return
    if not as_json:
        _tell(judged)
    ended = None
    if judged.accepted and not check:
        ended = driven(partial(_propose, profile, judged.proposal, str(path)))
    if as_json:
        emit_json(_facts(judged, ended))
    elif ended is not None:
        click.echo(f"{WORDS[ended.outcome.value]} (entry {ended.entry}, proposal {ended.proposal})")
    elif not judged.accepted:
        click.echo("It is not proposed: the quorum would reject it.")
    if not judged.accepted or (ended is not None and ended.outcome.value != "accept"):
        raise click.exceptions.Exit(1)


def _not_due(fall: Fall, *, decided: bool, as_json: bool) -> None:
    """Tell that the weights in force are not to be taken back, or that nobody knows."""
    if not decided and not as_json:
        nothing(as_json=False)
    elif as_json:
        emit_json({"due": fall.due, "measured": fall.measured})
    elif fall.due is None:
        last = f" (the last is {fall.measured})" if fall.measured else ""
        told = f"Not known: no day since they came into force was measured{last}"
        click.echo(f"{told}. coinswarm weights measure writes what each agent earns.")
    else:
        click.echo(f"Not due: up to {fall.measured} the weights in force have not fallen as far as they may.")


def _judged(
    store: Store, profile: SwarmProfile, wanted: Wanted | None, version: int, found: Sequence[Weighing]
) -> Judged:
    """The proposal, judged on what the store holds now.

    :param version: of the weights; :param found: all that were ever in force at that version, oldest first.
    :raises OperatorError: where it cannot be made.
    """
    from coinswarm.memory.evidence.weighings import cited_returns
    from coinswarm.memory.promotion.weights import change_of_weights

    before = found[-1].weights if found else {}
    wanted = wanted or _before(found)
    cites, bare = cited_returns(store, {*before, *wanted.weights})
    try:
        proposal = change_of_weights(wanted.weights, wanted.rollback_bp, version=version, evidence=cites)
    except ValueError as error:
        raise OperatorError(str(error), remedy="write AGENT=BP, as in trend=6000") from None
    verdicts, fallen = _verdicts(store, profile, proposal)
    if found and bare:
        message = f"no returns of {', '.join(bare)} are in the store, and nothing can be shown without them"
        raise NotReadyError(message, remedy="write them: coinswarm weights measure PROFILE")
    return Judged(proposal, before, {agent: bp for agent, bp in wanted.weights.items() if bp}, verdicts, fallen)


def _before(found: Sequence[Weighing]) -> Wanted:
    one = previous(found)
    return Wanted(one.weights, one.rollback_drawdown_bp)


def _verdicts(store: Store, profile: SwarmProfile, proposal: Proposal) -> tuple[dict[str, Verdict], bool]:
    """How core's voters judge it, on the evidence that a seat would be shown; and whether it is due.

    :raises NotReadyError: where the evidence is not whole.
    """
    from coinswarm.memory.evidence.gather import Gatherer
    from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
    from coinswarm.memory.quorum.records import Envelope

    section = profile.swarm
    envelope = Envelope(
        cluster=section.cluster,
        shard=section.shard,
        roster=0,
        submitter=section.submitter.id,
        nonce=0,
        deadline_ns=0,
        proposal=proposal,
    )
    evidence = Gatherer(store, mode=section.mode, minimum_bp=section.minimum_bp)(envelope)
    if evidence is None:
        message = "the returns in the store changed while they were read"
        raise NotReadyError(message, remedy="ask again")
    voters = {"decimals": DecimalVoter(), "integers": IntegerVoter()}
    verdicts = {name: voter.evaluate(proposal, evidence) for name, voter in voters.items()}
    return verdicts, all(voter.has_fallen(proposal, evidence) for voter in voters.values())


async def _propose(profile: SwarmProfile, proposal: Proposal, label: str) -> Ended:
    """Propose, and wait."""
    from coinswarm.runtime.swarm import assembly, opening

    async with assembly.proposing(profile, label=label, say=tell, patience=opening.PATIENCE, founds=False) as desk:
        return await assembly.outcome_of(desk, proposal, profile.swarm.deadline_seconds)


def _tell(judged: Judged) -> None:
    from coinswarm.memory.promotion.weights import moved

    emit(moved(judged.before, judged.after), MOVED, as_json=False)
    click.echo()
    for name, verdict in judged.verdicts.items():
        click.echo(f"{name}: {'; '.join(verdict.remarks) or f'all {len(verdict.held)} rules hold'}")


def _facts(judged: Judged, ended: Ended | None) -> dict[str, object]:
    from coinswarm.memory.promotion.weights import moved

    return {
        "due": judged.fallen,
        "agents": moved(judged.before, judged.after),
        "content": judged.proposal.content(),
        "verdicts": [
            {
                "voter": name,
                "verdict": "ACCEPT" if verdict.accepts else "REJECT",
                "failed": [rule.value for rule in verdict.failed],
                "remarks": list(verdict.remarks),
            }
            for name, verdict in judged.verdicts.items()
        ],
        "outcome": ended and ended.outcome.value,
        "entry": ended and ended.entry,
        "proposal": ended and ended.proposal,
    }
