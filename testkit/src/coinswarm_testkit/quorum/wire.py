"""The wire: in some histories messages, disks and entries are bytes, and anybody may send any.

What a part is handed there was read by core's own codec, as a driver reads it: what cannot be read is dropped.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from coinswarm.memory.quorum import codec
from coinswarm.memory.quorum.messages import Propose, Vote
from coinswarm.memory.quorum.wire import Decoder, message_bytes, message_from
from coinswarm_testkit.quorum import strange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coinswarm.memory.quorum.messages import Message
    from coinswarm.memory.quorum.reader import LogRead
    from coinswarm.memory.quorum.records import Entry
    from coinswarm_testkit.quorum.scheme import Cast

OFTEN, AS_SUBMITTER = 0.06, 0.1
"""How often a message is followed by strange ones; and a proposal by one that its submitter signed."""


class Wire:
    """What goes over the wire of one history.

    :param liars: places of the voters that sign anything.
    :ivar uses: nonces under which the submitter signed something strange: nobody promises anything about those.
    """

    def __init__(self, seed: int, cast: Cast, liars: Iterable[int]) -> None:
        self._rng = Random(seed)  # noqa: S311 - a simulation must be repeatable
        self._cast = cast
        self._signers = {f"v{place}": cast.voters[place] for place in liars}
        self._decoder = Decoder()
        self.uses: set[str] = set()

    def heard(self, data: bytes) -> Message | None:
        """The message that a driver hands to its part; None where it drops the bytes."""
        try:
            return self._decoder.message(data)
        except Exception:  # noqa: BLE001 - as the driver, whatever reading them raises
            return None

    def beside(self, message: Message, *, chaos: bool) -> Iterator[tuple[str, bytes]]:
        """What else is sent when a message is: how it came about, and bytes.

        :param chaos: whether the submitter may sign what it never should, too.
        """
        rng = self._rng
        if rng.random() < OFTEN:
            yield "broken bytes", strange.broken(rng, message_bytes(message))
        if rng.random() < OFTEN:
            yield "respelled", strange.respelled(rng, message_bytes(message))
        if isinstance(message, (Propose, Vote)) and rng.random() < OFTEN:
            part = "ballot" if isinstance(message, Vote) and rng.random() < 0.7 else "envelope"  # noqa: PLR2004
            yield "strange, unsigned", strange.said(rng, message_bytes(message), part, None)
        if isinstance(message, Vote) and message.ballot.voter in self._signers and rng.random() < 0.5:  # noqa: PLR2004
            signer = self._signers[message.ballot.voter]
            yield "strange, signed", strange.said(rng, message_bytes(message), "ballot", signer)
        if isinstance(message, Propose) and chaos and rng.random() < AS_SUBMITTER:
            data = strange.said(rng, message_bytes(message), "envelope", self._cast.submitter)
            found = self.heard(data)
            if isinstance(found, Propose):
                self.uses |= {found.envelope.use, message.envelope.use}
            yield "strange proposal", data


def kept(message: Any) -> Any:  # noqa: ANN401 - any message
    """A message as a disk holds it, read back.

    :raises MalformedError: where it cannot be read any more.
    """
    return message_from(message_bytes(message))


def is_readable(message: Any) -> bool:  # noqa: ANN401 - any message
    """Whether a message can be read back from its bytes, as what it was."""
    try:
        return bool(kept(message) == message)
    except codec.MalformedError:
        return False


def read(answer: LogRead) -> LogRead:
    """What a log answered, as a database holds it, read back.

    :raises MalformedError: where something cannot be read any more.
    """
    return replace(answer, entries=[_told(entry) for entry in answer.entries])


def _told(entry: Entry) -> Entry:
    """An entry whose envelope and ballots are read from their bytes."""
    envelope = codec.envelope_from(entry.envelope.body, entry.envelope.signature)
    proof = tuple(codec.ballot_from(ballot.body, ballot.signature) for ballot in entry.proof)
    return replace(entry, envelope=envelope, proof=proof)
