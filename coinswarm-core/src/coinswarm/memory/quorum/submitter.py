"""A submitter: sends what it proposes until the log says how it ended, and keeps it on its own disk meanwhile.

It sends before it writes, and what is decided in a moment need not be written: what is lost in between with its process
was promised to nobody, and may be decided all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.memory.quorum import docket as dockets
from coinswarm.memory.quorum.messages import Effect, Ended, Keep, Kept, Message, Notice, Propose, Send, Submit, Tick
from coinswarm.memory.quorum.reader import LogRead
from coinswarm.memory.quorum.records import START, Envelope, Head, Outcome
from coinswarm.memory.quorum.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coinswarm.memory.quorum.docket import Docket
    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.roster import Roster

FIRST_NS = 500_000_000
LONGEST_NS = 2_000_000_000
"""A proposal is sent again after ``FIRST_NS``, then after twice as long, and so on up to this.

As long as others of the same submitter are decided it waits up to ``LONGEST_NS`` more: there is much to do, and what is
sent again adds to it.
"""


class Item(NamedTuple):
    """A proposal on its way.

    :param next_ns: local time when it is sent again; :param pause_ns: and how long after that.
    """

    envelope: Envelope
    next_ns: int
    pause_ns: int


class Submitter(NamedTuple):
    """A submitter's state.

    :param docket: its reader of the log, without cases.
    :param moved_ns: local time when one of its proposals last ended.
    """

    docket: Docket
    outbox: Table[Item]
    moved_ns: int = -FIRST_NS


def start(  # noqa: PLR0913 - where it is, and what its disk holds
    cluster: str,
    shard: str,
    roster: Roster,
    scheme: Scheme,
    *,
    kept: Iterable[Envelope] = (),
    seen: Head = START,
) -> Submitter:
    """A submitter as it starts.

    :param roster: of version 0.
    :param kept: what its disk holds, at least what is not decided.
    """
    outbox = Table[Item]()
    for envelope in kept:
        outbox = outbox.put(envelope.id, Item(envelope, 0, FIRST_NS))
    return Submitter(docket=dockets.new_docket(cluster, shard, roster, scheme, seen), outbox=outbox)


Event = Message | Submit | Kept | LogRead | Tick


def step(submitter: Submitter, event: Event, now_ns: int) -> tuple[Submitter, tuple[Effect, ...]]:  # noqa: PLR0911 - one arm per event
    """What a submitter becomes, and wants done, when something happens.

    :param now_ns: its monotonic clock, above 0; only differences of it mean anything.
    """
    docket = submitter.docket
    if docket.reader.halted:  # nothing is promised any more: what is submitted now is not kept, and nothing ends
        return submitter, ()
    match event:
        case Submit(envelope):
            message = Propose(envelope)
            outbox = submitter.outbox.put(envelope.id, Item(envelope, now_ns + FIRST_NS, FIRST_NS))
            return submitter._replace(outbox=outbox), (Send(message), Keep(message, docket.reader.seen))
        case LogRead():
            return _read(submitter, event, now_ns)
        case Notice(head):
            if not len(submitter.outbox) or head.index <= docket.fold.head.index:
                return submitter, ()
            docket, effects = dockets.look(docket, now_ns)
            return submitter._replace(docket=docket), effects
        case Tick():
            docket, effects = dockets.look(docket, now_ns)
            outbox, sent = submitter.outbox, []
            patience = LONGEST_NS if now_ns - submitter.moved_ns < FIRST_NS else 0
            for proposal, item in submitter.outbox.items():
                if now_ns >= item.next_ns + patience:
                    pause = min(2 * item.pause_ns, LONGEST_NS)
                    outbox = outbox.put(proposal, Item(item.envelope, now_ns + pause, pause))
                    sent.append(Send(Propose(item.envelope)))
            return submitter._replace(docket=docket, outbox=outbox), (*effects, *sent)
        case _:
            return submitter, ()


def _read(submitter: Submitter, answer: LogRead, now_ns: int) -> tuple[Submitter, tuple[Effect, ...]]:
    """Cross out what is decided; a log that is not to be believed decides nothing."""
    docket, effects = dockets.take_in(submitter.docket, answer, now_ns, 0)
    outbox = submitter.outbox
    for proposal, item in submitter.outbox.items():
        outcome = docket.fold.decided.get(proposal)
        if outcome is None and docket.reader.ready and docket.fold.is_left(item.envelope):
            outcome = Outcome.CONFLICT  # with the roster: nobody decides it any more
        if outcome is not None:
            outbox = outbox.drop(proposal)
            effects = (*effects, Ended(item.envelope, outcome))
    moved_ns = submitter.moved_ns if outbox is submitter.outbox else now_ns
    return Submitter(docket=docket, outbox=outbox, moved_ns=moved_ns), effects
