"""``coinswarm memory propose``: a proposal from a file, and how it ended in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from coinswarm.cli.groups import ProfileCommand
from coinswarm.cli.run import profile_option, set_option
from coinswarm.cli.tables import emit_fields
from coinswarm.cli.telling import tell
from coinswarm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.config.swarm import SwarmProfile
    from coinswarm.domain.proposal import Proposal
    from coinswarm.runtime.swarm.desk import Ended

T = TypeVar("T")

WORDS = {
    "accept": "accepted: the voters agree, and it is in force",
    "reject": "rejected: the voters agree that it must not be",
    "conflict": "not decided on its merits: what it starts from is no longer in force. Look again, and propose anew",
    "expired": "expired: too few voters answered alike before its deadline. See coinswarm memory voters",
}
"""Outcome -> what it means."""


KINDS = (
    "add_episode", "add_episodes", "update_pattern", "promote_pattern", "deprecate_pattern", "set_weights",
    "admit_agent", "suspend_agent", "configure",
)  # fmt: skip
"""As ``domain.proposal`` has them, without importing it for ``--help``."""


def _example(ctx: click.Context, _parameter: click.Parameter, kind: str | None) -> None:
    """Print a proposal of a kind, and end."""
    if kind is None or ctx.resilient_parsing:
        return
    from coinswarm.cli.tables import emit_json
    from coinswarm.domain.proposal import ProposalKind
    from coinswarm.runtime.examples import EXAMPLES

    emit_json({"kind": kind, **EXAMPLES[ProposalKind(kind)]})
    ctx.exit()


@click.command(cls=ProfileCommand)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@profile_option
@click.option("--seconds", type=click.FloatRange(min=1, max=86_400), help="Until its deadline; else the profile's.")
@click.option(
    "--example",
    type=click.Choice(KINDS),
    is_eager=True,
    expose_value=False,
    callback=_example,
    help="Print a file of that kind to begin with, and do nothing else.",
)
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def propose(*, file: Path, profile: Path, seconds: float | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Propose what FILE says (- for stdin), in the name of the profile's submitter, and wait for the outcome.

    FILE is JSON with kind and change, and evidence and claims where they are not nothing. What is left out is taken as
    it stands now: the subject, base_version, the digest of evidence that is named by its place alone, an agent's
    certificate, when a pattern was registered.

    Exit codes: 0 accepted, 1 ended in another way, 4 the database or the bus is away, 5 the log is not to be
    believed.
    """
    import sys
    from functools import partial

    from coinswarm.config.swarm import load_swarm
    from coinswarm.runtime.swarm.assembly import driven

    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    told = _told(data, "stdin" if str(file) == "-" else str(file))
    loaded = load_swarm(profile, overrides)
    asked = _completed(loaded, told)
    try:
        ended = driven(partial(_propose, loaded, asked, str(profile), seconds))
    except KeyboardInterrupt:
        tell("what was proposed is not taken back: it may be decided all the same, and coinswarm memory log shows it")
        raise
    outcome = ended.outcome.value
    if as_json:
        emit_fields({"proposal": ended.proposal, "outcome": outcome, "entry": ended.entry}, as_json=True)
    else:
        click.echo(f"{WORDS[outcome]} (entry {ended.entry}, proposal {ended.proposal})")
        if outcome == "reject":
            click.echo(f"coinswarm memory show {ended.entry} says by which rules.")
    if outcome != "accept":
        raise click.exceptions.Exit(1)


def _told(data: bytes, label: str) -> dict[str, Any]:
    """A proposal's content as it stands in a file, with what may be left out.

    :raises DataError: when it is no JSON object.
    """
    import json

    try:
        told = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        message = f"{label} is no JSON ({' '.join(str(error).split())})"
        raise DataError(message, remedy="correct it") from None
    if not isinstance(told, dict):
        message = f"{label} is no proposal, but a {type(told).__name__}"
        raise DataError(message, remedy='write {"kind": …, "change": {…}}; --example KIND prints one')
    return {"evidence": [], "claims": [], **told}


def _completed(profile: SwarmProfile, told: dict[str, Any]) -> dict[str, Any]:
    """The same with what the store knows, and its subject.

    :raises DataError: when nothing is there to be cited, or it is no proposal.
    """
    from coinswarm.memory.store.opening import opened
    from coinswarm.runtime.citing import completed, is_whole, subject_of
    from coinswarm.runtime.swarm.opening import address_of

    section = profile.swarm
    if not is_whole(told):
        with opened(address_of(section), section.cluster, section.shard) as store:
            told = completed(store, told)
    return told if "subject" in told else {**told, "subject": _held(subject_of, told)}


async def _propose(profile: SwarmProfile, told: dict[str, Any], label: str, seconds: float | None) -> Ended:
    """Propose, and wait."""
    from coinswarm.runtime.swarm import assembly, opening

    async with assembly.proposing(profile, label=label, say=tell, patience=opening.PATIENCE, founds=False) as desk:
        fold = await desk.ready()
        if "base_version" not in told:
            told["base_version"] = fold.versions.get(str(told.get("subject"))) or 0
        return await assembly.outcome_of(desk, _proposal(told), seconds or profile.swarm.deadline_seconds)


def _proposal(told: dict[str, Any]) -> Proposal:
    """The proposal that a file told.

    :raises DataError: when it tells none.
    """
    from coinswarm.memory.quorum.codec import proposal_from

    return _held(proposal_from, told)


def _held(read: Callable[[dict[str, Any]], T], told: dict[str, Any]) -> T:
    """What is read from a file's proposal.

    :raises DataError: when it tells none.
    """
    from coinswarm.memory.quorum.codec import MalformedError

    try:
        return read(told)
    except MalformedError as error:
        raise DataError(str(error), remedy="correct the proposal; --example KIND prints one") from None
