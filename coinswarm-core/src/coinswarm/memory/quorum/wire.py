"""Messages as bytes: one canonical form, told back strictly or not at all (``codec``)."""

from __future__ import annotations

from collections import OrderedDict
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from coinswarm.canonical import canonical_json
from coinswarm.memory.quorum import codec
from coinswarm.memory.quorum.codec import LIMIT, MalformedError, keys, read_json
from coinswarm.memory.quorum.messages import Notice, Propose, Vote
from coinswarm.memory.quorum.records import Ballot, Envelope, Head, Seal, SealVote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.memory.quorum.messages import Message

__all__ = ["LIMIT", "Decoder", "MalformedError", "message_bytes", "message_from", "seal_bytes", "seal_from"]

NOTICE, SEAL = "coinswarm.notice/1", "coinswarm.sealvote/1"
"""What a message says that it is; proposals and votes say it in their ends."""

_PROPOSE_BEGIN, _PROPOSE_END = b'{"envelope":{"body":', b'"},"schema":"coinswarm.propose/1"}'
_VOTE_BEGIN, _VOTE_END = b'{"ballot":{"body":', b'"},"schema":"coinswarm.vote/1"}'
_VOTE_MIDDLE = b'"},"envelope":{"body":'
_SIGNATURE = b',"signature":"'
_PLAIN = b"0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""Of these an honest signature is made, and they are written as they are."""

_LONG = 16 * 1024
"""Longer messages are not kept in memory: those of several episodes, of which the codec knows the part that is long."""


def message_bytes(message: Message) -> bytes:
    """A message as it travels: bodies as they were signed, and signatures."""
    match message:
        case Propose(envelope):
            return b"".join((_PROPOSE_BEGIN, *_inside(envelope), _PROPOSE_END))
        case Vote(envelope, ballot):
            return b"".join((_VOTE_BEGIN, *_inside(ballot), _VOTE_MIDDLE, *_inside(envelope), _VOTE_END))
        case Notice(head):
            return canonical_json({"hash": head.hash, "index": head.index, "schema": NOTICE})
        case SealVote():
            return b'{"schema":"%b","vote":%b}' % (_text(SEAL), _signed(message))


def seal_bytes(seal: Seal) -> bytes:
    """A seal, as it is copied elsewhere: one line."""
    votes = b",".join(_signed(vote) for vote in seal.votes)
    return b'{"hash":"%b","index":%d,"votes":[%b]}' % (_text(seal.head.hash), seal.head.index, votes)


def _signed(record: Envelope | Ballot | SealVote) -> bytes:
    return b"".join((b'{"body":', *_inside(record), b'"}'))


def _inside(record: Envelope | Ballot | SealVote) -> tuple[bytes, bytes, bytes]:
    """Body and signature, what is between them, and neither the beginning nor the end."""
    return record.body, _SIGNATURE, _text(record.signature)


def _text(text: str) -> bytes:
    """A text as JSON has it, without its quotes."""
    data = text.encode()
    return encode_basestring(text)[1:-1].encode() if data.translate(None, _PLAIN) else data


def seal_from(data: bytes) -> Seal:
    """The seal that bytes tell; who vouches for it is for ``proof.seals`` to say.

    :raises MalformedError: when they tell none.
    """
    told = keys("a seal", read_json(data), {"hash", "index", "votes"})
    return Seal(_head(told), tuple(_seal_vote(one) for one in codec.listed("votes", told["votes"])))


def message_from(data: bytes) -> Message:
    """The message that bytes tell.

    :raises MalformedError: when they tell none.
    """
    found = _cut(data)
    if found is not None:
        return found
    told = read_json(data)
    schema = told.get("schema") if isinstance(told, dict) else None
    match schema:
        case "coinswarm.propose/1":
            return Propose(_envelope(keys("a proposal", told, {"envelope", "schema"})["envelope"]))
        case "coinswarm.vote/1":
            parts = keys("a vote", told, {"ballot", "envelope", "schema"})
            return Vote(_envelope(parts["envelope"]), _ballot(parts["ballot"]))
        case "coinswarm.notice/1":
            return Notice(_head(keys("a notice", told, {"hash", "index", "schema"})))
        case "coinswarm.sealvote/1":
            return _seal_vote(keys("a seal vote", told, {"schema", "vote"})["vote"])
        case _:
            message = f"a message of schema {str(schema)[:64]!r}, which nobody knows"
            raise MalformedError(message)


def _cut(data: bytes) -> Propose | Vote | None:
    """A proposal or a vote, told from its parts; None for whatever is none, which is then read as a whole.

    What is between canonical parts is canonical: the whole is, if its parts are, wherever it was cut.
    """
    if len(data) > LIMIT:
        return None
    try:
        if data.startswith(_VOTE_BEGIN) and data.endswith(_VOTE_END):
            cut = data.find(_VOTE_MIDDLE)
            ballot, envelope = data[len(_VOTE_BEGIN) : cut], data[cut + len(_VOTE_MIDDLE) : -len(_VOTE_END)]
            return Vote(codec.envelope_from(*_halves(envelope)), codec.ballot_from(*_halves(ballot)))
        if data.startswith(_PROPOSE_BEGIN) and data.endswith(_PROPOSE_END):
            return Propose(codec.envelope_from(*_halves(data[len(_PROPOSE_BEGIN) : -len(_PROPOSE_END)])))
    except MalformedError:
        pass  # read as a whole, it is told what is wrong with it
    return None


def _halves(signed: bytes) -> tuple[bytes, str]:
    """Body and signature of a record.

    :raises MalformedError: for a signature that is not made of digits, letters and ``:``.
    """
    body, _, signature = signed.rpartition(_SIGNATURE)
    if signature.translate(None, _PLAIN):
        raise MalformedError
    return body, signature.decode()


class Decoder:
    """Reads messages, and knows those that came lately.

    Several parts of one process may share one: what each of them hears is read once.

    :param limit: how many messages it knows; 0 for a part alone, to which nothing comes twice.
    """

    def __init__(self, limit: int = 4_096) -> None:
        self._limit = limit
        self._heard: OrderedDict[bytes, Message] = OrderedDict()

    def message(self, data: bytes) -> Message:
        """As ``message_from``.

        :raises MalformedError: when bytes tell no message.
        """
        if not self._limit or len(data) > _LONG:
            return message_from(data)
        heard = self._heard.get(data)
        if heard is None:
            heard = self._heard[data] = message_from(data)
            if len(self._heard) > self._limit:
                self._heard.popitem(last=False)
        return heard


def _envelope(told: object) -> Envelope:
    parts = keys("a signed proposal", told, {"body", "signature"})
    return codec.envelope_told(parts["body"], parts["signature"], codec.dumped(parts["body"]))


def _ballot(told: object) -> Ballot:
    parts = keys("a signed ballot", told, {"body", "signature"})
    return codec.ballot_told(parts["body"], parts["signature"], codec.dumped(parts["body"]))


def _seal_vote(told: object) -> SealVote:
    parts = keys("a signed seal vote", told, {"body", "signature"})
    return codec.seal_vote_told(parts["body"], parts["signature"], codec.dumped(parts["body"]))


def _head(told: Mapping[str, Any]) -> Head:
    return Head(codec.whole("index", told["index"]), codec.text("hash", told["hash"]))
