"""Open proposals with their ballots, beside the log as far as it was read: what voters and coordinators share.

A proposal is *ripe* when a decision is due: a commit proof is complete, it can never be accepted any more, or its
deadline has passed. The lease's holder asks for it at once, everybody else after ``TAKEOVER_NS``, so that a
coordinator that censors, or is dead, costs two seconds. Of one submitter only so many are kept open: one that floods
takes room from itself alone.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from coinswarm.memory.quorum import proof
from coinswarm.memory.quorum.fold import Fold, genesis
from coinswarm.memory.quorum.log import Request, is_fenced
from coinswarm.memory.quorum.messages import (
    Crowd,
    Decide,
    Double,
    Effect,
    Halted,
    ReadLog,
    Remember,
    Report,
    Split,
    Vote,
)
from coinswarm.memory.quorum.reader import LogRead, Reader, read
from coinswarm.memory.quorum.records import START, Head
from coinswarm.memory.quorum.ruling import ruling
from coinswarm.memory.quorum.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.log import Answer
    from coinswarm.memory.quorum.records import Ballot, Envelope
    from coinswarm.memory.quorum.roster import Roster

TAKEOVER_NS = 2_000_000_000
"""How long a ripe proposal may lie before others than the lease's holder ask for its decision."""

ASK_NS = 1_000_000_000
"""How long an answer of the log is waited for."""

FORGET_NS = 60_000_000_000
"""How long after its deadline an undecided proposal is kept; its submitter sends it again."""

MOST_OPEN = 512
"""Most proposals of one submitter that are open here: what comes beyond is not taken until one of them has ended.

A submitter of ours has some two hundred under way, and sends again what was not taken.
"""


class Case(NamedTuple):
    """One open proposal.

    :param ballots: valid ones, one per voter; never changed in place.
    :param doubles: voters who signed two different ballots: none of theirs counts.
    :param ripe_ns: local time since when a decision is due; 0: none is.
    :param asked_ns: local time when it was last asked for.
    :param mine: a voter's own vote, once it is on its disk; :param sent_ns: local time when it was last sent.
    :param busy: a voter is evaluating it, or writing its vote down.
    """

    envelope: Envelope
    ballots: dict[str, Ballot]
    doubles: frozenset[str] = frozenset()
    ripe_ns: int = 0
    asked_ns: int = -ASK_NS
    mine: Vote | None = None
    sent_ns: int = 0
    busy: bool = False


class Docket(NamedTuple):
    """What a voter or a coordinator knows.

    :param ripe: those of the cases that are ripe, by their ids.
    :param token: of the last question to the log; :param reading_ns: when it was asked; 0: it was answered.
    :param deciding_ns: when a decision was asked for; 0: that was answered.
    """

    scheme: Scheme
    reader: Reader
    cases: Table[Case]
    ripe: Table[None]
    token: int = 0
    reading_ns: int = 0
    deciding_ns: int = 0

    @property
    def fold(self) -> Fold:
        """The log as far as it was verified."""
        return self.reader.fold


def new_docket(cluster: str, shard: str, roster: Roster, scheme: Scheme, seen: Head = START) -> Docket:
    """A docket that has read nothing yet.

    :param roster: of version 0.
    :param seen: highest head that was verified in an earlier life.
    """
    return Docket(
        scheme=scheme, reader=Reader(fold=genesis(cluster, shard, roster), seen=seen), cases=Table(), ripe=Table()
    )


def admit(docket: Docket, envelope: Envelope) -> tuple[Docket, Case | None]:
    """The case of a proposal, opened where it is new.

    None where it is decided, not signed, or not for this log, and where its submitter has too many open, or its seat
    no more.
    """
    case = docket.cases.get(envelope.id)
    if case is not None:
        return docket, case
    fold = docket.fold
    judges = fold.judges(envelope)
    if (
        (envelope.cluster, envelope.shard) != (fold.cluster, fold.shard)
        or envelope.id in fold.decided
        or judges is None
        or fold.is_left(envelope)
        or envelope.submitter in crowds(docket)  # before the signature, which costs more
        or not proof.submitted(envelope, judges, docket.scheme)
    ):
        return docket, None
    return put(docket, Case(envelope=envelope, ballots={}))


def crowds(docket: Docket) -> list[str]:
    """The submitters that have as many proposals open as one may."""
    if len(docket.cases) < MOST_OPEN:
        return []
    opened = Counter(case.envelope.submitter for case in docket.cases.values())
    return [submitter for submitter, many in opened.items() if many >= MOST_OPEN]


def put(docket: Docket, case: Case) -> tuple[Docket, Case]:
    """The docket with a case replaced."""
    scheme, reader, cases, ripe, token, reading_ns, deciding_ns = docket
    proposal = case.envelope.id
    if case.ripe_ns and proposal not in ripe:
        ripe = ripe.put(proposal, None)
    elif not case.ripe_ns and proposal in ripe:
        ripe = ripe.drop(proposal)
    # Half the price of ``_replace``, on the way of every message.
    return Docket(scheme, reader, cases.put(proposal, case), ripe, token, reading_ns, deciding_ns), case


def drop(docket: Docket, proposals: Iterable[str]) -> Docket:
    """The docket without some cases."""
    cases, ripe = docket.cases, docket.ripe
    for proposal in proposals:
        cases, ripe = cases.drop(proposal), ripe.drop(proposal)
    return docket if cases is docket.cases else docket._replace(cases=cases, ripe=ripe)


def hear(docket: Docket, vote: Vote) -> tuple[Docket, Case | None, tuple[Effect, ...]]:
    """Take in a vote: what is not valid is dropped, what contradicts an earlier ballot is evidence."""
    ballot = vote.ballot
    case = docket.cases.get(ballot.proposal)
    if case is None:
        docket, case = admit(docket, vote.envelope)
    if case is None or ballot.proposal != case.envelope.id:
        return docket, None, ()
    known = case.ballots.get(ballot.voter)
    if ballot.voter in case.doubles or (known is not None and known.matter == ballot.matter):
        return docket, case, ()
    judges = docket.fold.judges(case.envelope)
    if judges is None or not proof.is_valid(ballot, case.envelope, judges, docket.scheme):
        return docket, case, ()
    case, report = collect(case, ballot)
    docket, case = put(docket, case)
    return docket, case, report


def collect(case: Case, ballot: Ballot) -> tuple[Case, tuple[Report, ...]]:
    """The case with one more valid ballot in it, or with its voter struck out."""
    known = case.ballots.get(ballot.voter)
    if known is not None:
        rest = {voter: one for voter, one in case.ballots.items() if voter != ballot.voter}
        case = case._replace(ballots=rest, doubles=case.doubles | {ballot.voter}, ripe_ns=0)
        return case, (Report(Double(known, ballot)),)
    split = bool(case.ballots) and ballot.matter not in [one.matter for one in case.ballots.values()]
    case = case._replace(ballots={**case.ballots, ballot.voter: ballot})
    return case, (Report(Split(case.envelope.id)),) if split else ()


def request(docket: Docket, case: Case, local_ns: int, epoch: int) -> Request | None:
    """The request for the decision that is due on a case; None where none is, or where this epoch may not ask."""
    envelope, fold = case.envelope, docket.fold
    judges = fold.judges(envelope)
    if judges is None:  # from an earlier life, and the log is not read so far yet
        return None
    chosen = proof.choose(case.ballots.values(), judges, fold.hash_at)
    verdict = chosen[0].accepts if chosen else None
    outcome = ruling(envelope, fold.standing(envelope), docket.reader.now_ns(local_ns), verdict=verdict)
    if outcome is None or (epoch == 0 and is_fenced(envelope, outcome)):
        return None
    return Request(envelope=envelope, proof=chosen, epoch=epoch)


def ripen(docket: Docket, case: Case, local_ns: int, epoch: int) -> tuple[Docket, Case]:
    """Note since when a case is ripe."""
    if case.ripe_ns or request(docket, case, local_ns, epoch) is None:
        return docket, case
    return put(docket, case._replace(ripe_ns=local_ns))


def press(docket: Docket, local_ns: int, epoch: int) -> tuple[Docket, tuple[Effect, ...]]:
    """Ask for every decision that is due, one batch at a time: what ripens meanwhile goes into the next.

    :param epoch: of the lease held; 0 for who holds none, and waits ``TAKEOVER_NS``.
    """
    if not docket.reader.ready or (docket.deciding_ns and local_ns - docket.deciding_ns < ASK_NS):
        return docket, ()
    patience = 0 if epoch else TAKEOVER_NS
    cases, requests = docket.cases, []
    for proposal in docket.ripe:
        case = docket.cases.get(proposal)
        # Not twice within ``ASK_NS``, whatever the log answered: a log that fails at once must not be asked at once.
        if case is None or local_ns - case.ripe_ns < patience or local_ns - case.asked_ns < ASK_NS:
            continue
        asked = request(docket, case, local_ns, epoch)
        if asked is not None:
            requests.append(asked)
            cases = cases.put(proposal, case._replace(asked_ns=local_ns))
    if not requests:
        return docket, ()
    return docket._replace(cases=cases, deciding_ns=local_ns), (Decide(tuple(requests)),)


def settle(docket: Docket, local_ns: int) -> tuple[Docket, tuple[Effect, ...]]:
    """A request was answered: read what came of it."""
    return look(docket._replace(deciding_ns=0), local_ns)


def settle_written(
    docket: Docket, answers: Sequence[Answer], local_ns: int, epoch: int
) -> tuple[Docket, tuple[Effect, ...]]:
    """As ``settle``, without reading where nobody else wrote: what was written here is known, and verified like any."""
    entries = [answer.entry for answer in answers if answer.entry is not None]
    after = docket.fold.head
    if not entries or (entries[0].index, entries[0].previous) != (after.index + 1, after.hash) or docket.reading_ns:
        return settle(docket, local_ns)
    last = entries[-1]
    docket = docket._replace(token=docket.token + 1, deciding_ns=0)
    written = LogRead(docket.token, after.index, entries, last.head, max(last.at_ns, docket.reader.now_ns(local_ns)))
    return take_in(docket, written, local_ns, epoch)


def look(docket: Docket, local_ns: int) -> tuple[Docket, tuple[Effect, ...]]:
    """Read the log on, unless that is being done: answers out of order would look like a log that shrinks."""
    if docket.reader.halted or (docket.reading_ns and local_ns - docket.reading_ns < ASK_NS):
        return docket, ()
    token = docket.token + 1
    docket = docket._replace(token=token, reading_ns=local_ns)
    return docket, (ReadLog(token, docket.fold.head.index),)


def take_in(docket: Docket, answer: LogRead, local_ns: int, epoch: int) -> tuple[Docket, tuple[Effect, ...]]:
    """Verify what the log answered, close what it decided, and note what is ripe now."""
    if answer.token != docket.token or docket.reader.halted:
        return docket, ()
    before = docket.reader
    reader = read(before, answer, local_ns, docket.scheme)
    docket = docket._replace(reader=reader, reading_ns=0)
    if reader.halted:
        return docket, (Report(Halted(f"{reader.halted}: {reader.why}")),)
    effects: tuple[Effect, ...] = (Remember(reader.seen),) if reader.seen != before.seen else ()
    if reader.fold is not before.fold:
        fold = reader.fold
        over = [one for one, case in docket.cases.items() if one in fold.decided or fold.is_left(case.envelope)]
        docket = drop(docket, over)
    if reader.fold.head.index < answer.head.index:
        docket, more = look(docket, local_ns)
        return docket, (*effects, *more)
    for case in docket.cases.values():
        docket, _ = ripen(docket, case, local_ns, epoch)
    return docket, effects


def tidy(docket: Docket, local_ns: int) -> tuple[Docket, tuple[Report, ...]]:
    """Drop cases long past their deadline, and tell which submitters have as many open as one may."""
    now = docket.reader.now_ns(local_ns)
    old = [name for name, case in docket.cases.items() if now > case.envelope.deadline_ns + FORGET_NS]
    docket = drop(docket, old)
    return docket, tuple(Report(Crowd(submitter)) for submitter in crowds(docket))
