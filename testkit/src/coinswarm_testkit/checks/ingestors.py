"""I: what an ingestor sees in recorded payloads: everything, once, in order, with its times."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from coinswarm.domain.observation import START, Batch, Cursor, Hole, MacroReading, Observation
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.pure import ELSEWHERE
from coinswarm_testkit.play.player import Player
from coinswarm_testkit.play.recording import Recording, load
from coinswarm_testkit.verdicts import CheckFailedError, CheckSkipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coinswarm_testkit.bench import Bench, Link
    from coinswarm_testkit.subject import Kind

INGESTOR: frozenset[Kind] = frozenset({"ingestor"})
CALLS = 200
"""More polls than any recording has pages."""

PATIENCE_SECONDS = 5.0
"""More than a stream needs for a recording on loopback."""

RESTARTS = 5
CURSOR_BYTES = 64 * 1024
"""Core keeps a cursor beside every batch."""

SKIPPED = "it declares no recording (see I10)"
UNREADABLE = "its recording cannot be read (see I10)"


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run.

    :param raised: kind, text, ancestors and seconds of what it raised, in order.
    :param first, last: between which the clock that it was given went.
    :param held: for how many seconds, at the longest, it held up the event loop.
    """

    batches: tuple[Batch, ...]
    raised: tuple[tuple[str, str, tuple[str, ...], float | None], ...]
    first: Any
    last: Any
    held: float = 0.0

    @property
    def observations(self) -> list[Observation]:
        """All that was seen, in order."""
        return [one for batch in self.batches for one in batch.observations]

    @property
    def holes(self) -> list[Hole]:
        """All that was said to be missing."""
        return [one for batch in self.batches for one in batch.holes]


def streams(bench: Bench) -> bool:
    """Whether it is a stream."""
    return not bench.subject.declaration.get("polled_seconds")


def recording_of(bench: Bench) -> Recording:
    """The recording that its declaration names.

    :raises CheckSkipped: when it names none, or none that can be read; I10 has failed then, and says why.
    """
    if not bench.subject.declaration.get("recording"):
        raise CheckSkipped(SKIPPED)
    try:
        return _loaded(bench)
    except CheckFailedError:
        raise CheckSkipped(UNREADABLE) from None


def _loaded(bench: Bench) -> Recording:
    """The recording, read once.

    :raises CheckFailedError: when it cannot be.
    """
    if "recording" not in bench.kept:
        bench.kept["recording"] = load(str(bench.subject.declaration["recording"]))
    found: Recording = bench.kept["recording"]
    return found


@contextmanager
def played(
    bench: Bench,
    environment: Mapping[str, str] | None = None,
    **meddling: Any,  # noqa: ANN401 - the player's own
) -> Iterator[tuple[Link, Player]]:
    """A fresh ingestor that talks to a player.

    :param environment: variables of its process.
    """
    recording = recording_of(bench)
    with Player(recording, **meddling) as player, bench.link(**(environment or {})) as link:
        link.make(settings=recording.filled(player.addresses))
        yield link, player


def run(  # noqa: PLR0913 - what a run depends on
    bench: Bench,
    link: Link,
    *,
    cursor: Cursor = START,
    fresh: dict[str, Any] | None = None,
    calls: int = CALLS,
    restarts: int = RESTARTS,
    patience: float = PATIENCE_SECONDS,
    behind: float = 0.0,
    refusing: bool = False,
) -> Run:
    """Everything there is to see from a cursor on.

    :param behind, refusing: how core takes what a stream puts: late, or not at all.
    :raises CheckFailedError: when what it handed over are no batches.
    """
    recording = recording_of(bench)
    if streams(bench):
        until = len(recording.observations)
        answer = link.ask(
            "ingestors.streamed", cursor=cursor, until=until, last=recording.observations[-1].identity,
            patience=patience, restarts=restarts, now=recording.now, fresh=fresh,
            behind=behind, refusing=refusing,
        )  # fmt: skip
    else:
        answer = link.ask("ingestors.fetched", cursor=cursor, calls=calls, now=recording.now, fresh=fresh)
    raised = tuple((str(kind), str(text), tuple(bases), seconds) for kind, text, bases, seconds in answer["raised"])
    found = Run(tuple(answer["batches"]), raised, answer["first"], answer["last"], answer["held"])
    for batch in found.batches:
        _demand_batch(batch)
    return found


def _demand_batch(batch: object) -> None:
    """Hold an answer to its form."""
    if not isinstance(batch, Batch):
        message = f"it hands over a {type(batch).__name__}, not a Batch"
        raise CheckFailedError(message)
    parts: tuple[tuple[Any, type], ...] = (
        *((one, Observation) for one in batch.observations),
        *((one, Hole) for one in batch.holes),
        (batch.cursor, Cursor),
        (batch.cursor.text, str),
    )
    for part, kind in parts:
        if not isinstance(part, kind):
            message = f"a batch holds {part!r}, which is no {kind.__name__}"
            raise CheckFailedError(message)


def unbroken(bench: Bench) -> Run:
    """What a fresh ingestor sees when nothing goes wrong; measured once.

    :raises CheckSkipped: when something goes wrong all the same; I10 says what.
    """
    if "unbroken" not in bench.kept:
        with played(bench) as (link, _):
            bench.kept["unbroken"] = run(bench, link)
    found: Run = bench.kept["unbroken"]
    if found.raised:
        message = "it raises while nothing is wrong (see I10)"
        raise CheckSkipped(message)
    return found


def demand_only(raised: Sequence[tuple[str, str, tuple[str, ...], float | None]], allowed: set[str], when: str) -> None:
    """Fail on an error that is of no allowed kind."""
    for kind, text, bases, _ in raised:
        if not allowed & set(bases):
            message = f"{when} it raised {kind}{f': {text}' if text else ''}, not {' or '.join(sorted(allowed))}"
            raise CheckFailedError(message)


def demand_same(found: Run, bench: Bench, when: str) -> None:
    """Fail unless a run saw what an unbroken one sees, as often, in order and no other; but for what a hole covers."""
    whole = {one.identity: one for one in unbroken(bench).observations}
    seen = Counter(one.identity for one in found.observations)
    lost = [one for identity, one in whole.items() if identity not in seen and not _covered(one, found.holes)]
    if lost:
        message = f"{when} {len(lost)} of {len(whole)} observations are lost, the first {lost[0].identity}"
        raise CheckFailedError(message)
    usual = Counter(one.identity for one in unbroken(bench).observations)
    again = [identity for identity, times in seen.items() if times > max(1, usual[identity])]
    if again:
        message = f"{when} {len(again)} observations come again, the first {again[0]}"
        raise CheckFailedError(message)
    for one in found.observations:
        true = whole.get(one.identity)
        if true is None or replace(one, received=true.received) != true:
            message = f"{when} it saw {one}, which was never recorded"
            raise CheckFailedError(message)
    disorder = disorder_of(found)
    if disorder and not disorder_of(unbroken(bench)):
        message = f"{when} {disorder}"
        raise CheckFailedError(message)


def _covered(one: Observation, holes: Sequence[Hole]) -> bool:
    """Whether a hole says that an observation may be missing."""
    return any(
        (hole.source, hole.channel, hole.subject) == one.lane and hole.begin <= one.published <= hole.end
        for hole in holes
    )


def everything_seen(bench: Bench) -> None:
    """I10: recorded payloads say what its author recorded of them: each observation, to the last field."""
    if not bench.subject.declaration.get("recording"):
        message = "its declaration names no recording: record what the source says, and name the file"
        raise CheckFailedError(message)
    expected = {one.identity: one for one in _loaded(bench).observations}
    if not expected:
        message = "its recording holds no observation"
        raise CheckFailedError(message)
    with played(bench) as (link, player):
        found = run(bench, link)
    bench.kept["unbroken"] = found
    for kind, text, _, _ in found.raised:
        unknown = next((one for one in player.seen if not one.recorded), None)
        why = f" (it asked for {unknown.method} {unknown.target}, which was not recorded)" if unknown else ""
        message = f"it raised {kind}: {text}{why}"
        raise CheckFailedError(message)
    seen = {one.identity: one for one in found.observations}
    missing = [identity for identity in expected if identity not in seen]
    strange = [identity for identity in seen if identity not in expected]
    if missing or strange:
        which = f"{missing[0]} is missing" if missing else f"{strange[0]} was not recorded"
        message = f"it saw {len(seen)} of {len(expected)} observations: {which}"
        raise CheckFailedError(message)
    for identity, one in seen.items():
        true = expected[identity]
        if replace(one, event=true.event, published=true.published, received=true.received) != true:
            message = f"it saw {one}, but recorded is {true}"
            raise CheckFailedError(message)


def three_times(bench: Bench) -> None:
    """I15: event and publication are as recorded, and received is the time of the clock it was given; in any zone."""
    found = unbroken(bench)
    _demand_times(found, bench, "")
    _demand_one_value(found)
    with played(bench, ELSEWHERE) as (link, _):
        far = run(bench, link)
    where = f" in the time zone {ELSEWHERE['TZ']}"
    for kind, text, _, _ in far.raised:
        message = f"it raised {kind}: {text}{where}, and nowhere else"
        raise CheckFailedError(message)
    _demand_times(far, bench, where)


def _demand_times(found: Run, bench: Bench, where: str) -> None:
    """Hold the times of observations against those that were recorded."""
    expected = {one.identity: one for one in recording_of(bench).observations}
    for one in found.observations:
        true = expected.get(one.identity, one)
        for name in ("event", "published"):
            if getattr(one, name) != getattr(true, name):
                differs = f"is {getattr(one, name)}{where}, but recorded is {getattr(true, name)}"
                message = f"{name} of {one.identity} {differs}"
                raise CheckFailedError(message)
        if not found.first < one.received <= found.last:
            message = f"received of {one.identity} is {one.received}, which is no time of the clock it was given"
            raise CheckFailedError(message)
        if one.published > one.received:
            message = f"{one.identity} was published {one.published}, and received before that ({one.received}){where}"
            raise CheckFailedError(message)


def _demand_one_value(found: Run) -> None:
    """Hold that nothing had two values at once: a revision comes out later, and was not known before."""
    values: dict[tuple[object, ...], MacroReading] = {}
    for one in found.observations:
        if isinstance(one, MacroReading):
            before = values.setdefault((one.lane, one.event, one.published), one)
            if before.value != one.value:
                both = f"{before.identity} and {one.identity} say {before.value} and {one.value} of {one.event}"
                message = f"{both}, and both were published {one.published}: a revision has a time of its own"
                raise CheckFailedError(message)


def in_order(bench: Bench) -> None:
    """I20: within each lane, observations come in the order of their publication."""
    disorder = disorder_of(unbroken(bench))
    if disorder:
        raise CheckFailedError(disorder)


def disorder_of(found: Run) -> str:
    """The first observation of a lane that comes after one that was published later; empty where there is none."""
    last: dict[tuple[str, str, str], Observation] = {}
    for one in found.observations:
        before = last.get(one.lane, one)
        if one.published < before.published:
            return f"{one.identity} ({one.published}) comes after {before.identity} ({before.published})"
        last[one.lane] = one
    return ""


def each_once(bench: Bench) -> None:
    """I25: what the source says twice, in one payload, at the joint of pages or in a later poll, comes once."""
    seen = Counter(one.identity for one in unbroken(bench).observations)
    twice = [identity for identity, times in seen.items() if times > 1]
    if twice:
        message = f"{len(twice)} observations come more than once, the first {twice[0]} ({seen[twice[0]]} times)"
        raise CheckFailedError(message)


def cursor_resumes(bench: Bench) -> None:
    """I30: a fresh object goes on from any cursor: nothing lost, nothing repeated; the cursor is a short text."""
    recording = recording_of(bench)
    unbroken(bench)
    with played(bench, cut=streams(bench)) as (link, player):
        found = run(bench, link, fresh=recording.filled(player.addresses))
    demand_only(found.raised, {"RetryableError"}, "when the connection is cut")
    longest = max((len(batch.cursor.text.encode()) for batch in found.batches), default=0)
    if longest > CURSOR_BYTES:
        message = f"a cursor of {longest} bytes: at most {CURSOR_BYTES}"
        raise CheckFailedError(message)
    demand_same(found, bench, "when a fresh object goes on from the cursor")


CHECKS = (
    Check("I10", "recorded payloads say what was recorded", 2, everything_seen, INGESTOR, safety=True),
    Check("I15", "event, publication and receipt have their true times", 2, three_times, INGESTOR, safety=True),
    Check("I20", "in the order of publication", 1, in_order, INGESTOR),
    Check("I25", "each observation once", 1, each_once, INGESTOR),
    Check("I30", "goes on from a cursor without loss or repeat", 1, cursor_resumes, INGESTOR),
)
