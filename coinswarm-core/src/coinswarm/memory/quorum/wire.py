"""Messages as bytes: one canonical form, told back strictly or not at all (``codec``)."""

from __future__ import annotations

import json
from collections import OrderedDict
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

PROPOSE, VOTE, NOTICE, SEAL = "coinswarm.propose/1", "coinswarm.vote/1", "coinswarm.notice/1", "coinswarm.sealvote/1"
"""What a message says that it is."""

_VOTE_BEGIN, _VOTE_MIDDLE, _VOTE_END = b'{"ballot":', b',"envelope":', b',"schema":"coinswarm.vote/1"}'


def message_bytes(message: Message) -> bytes:
    """A message as it travels: bodies as they were signed, and signatures."""
    match message:
        case Propose(envelope):
            return b'{"envelope":%b,"schema":%b}' % (_signed(envelope), _text(PROPOSE))
        case Vote(envelope, ballot):
            return b'{"ballot":%b,"envelope":%b,"schema":%b}' % (_signed(ballot), _signed(envelope), _text(VOTE))
        case Notice(head):
            return canonical_json({"hash": head.hash, "index": head.index, "schema": NOTICE})
        case SealVote():
            return b'{"schema":%b,"vote":%b}' % (_text(SEAL), _signed(message))


def seal_bytes(seal: Seal) -> bytes:
    """A seal, as it is copied elsewhere: one line."""
    votes = b",".join(_signed(vote) for vote in seal.votes)
    return b'{"hash":%b,"index":%d,"votes":[%b]}' % (_text(seal.head.hash), seal.head.index, votes)


def _signed(record: Envelope | Ballot | SealVote) -> bytes:
    return b'{"body":%b,"signature":%b}' % (record.body, _text(record.signature))


def _text(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode()


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


class Decoder:
    """Reads messages, and knows the proposals that came lately: a proposal comes once, and again with every vote on it.

    Several parts of one process may share one: what each of them hears is read once.

    :param limit: how many proposals it knows, and how many messages.
    """

    def __init__(self, limit: int = 4_096) -> None:
        self._limit = limit
        self._known: OrderedDict[bytes, Envelope] = OrderedDict()
        self._heard: OrderedDict[bytes, Message] = OrderedDict()

    def message(self, data: bytes) -> Message:
        """As ``message_from``.

        :raises MalformedError: when bytes tell no message.
        """
        heard = self._heard.get(data)
        if heard is None:
            heard = self._heard[data] = self._read(data)
            if len(self._heard) > self._limit:
                self._heard.popitem(last=False)
        return heard

    def _read(self, data: bytes) -> Message:
        if len(data) <= LIMIT and data.startswith(_VOTE_BEGIN) and data.endswith(_VOTE_END):
            cut = data.rfind(_VOTE_MIDDLE)
            known = self._known.get(data[cut + len(_VOTE_MIDDLE) : -len(_VOTE_END)])
            if known is not None:  # what is between canonical parts is canonical: the whole is, if the ballot is
                ballot = data[len(_VOTE_BEGIN) : cut]
                return Vote(known, _ballot(read_json(ballot), ballot))
        message = message_from(data)
        if not isinstance(message, (Propose, Vote)):
            return message
        known = self._known.setdefault(_signed(message.envelope), message.envelope)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return Propose(known) if isinstance(message, Propose) else Vote(known, message.ballot)


def _envelope(told: object) -> Envelope:
    parts = keys("a signed proposal", told, {"body", "signature"})
    return codec.envelope_told(parts["body"], parts["signature"], codec.dumped(parts["body"]))


def _ballot(told: object, data: bytes | None = None) -> Ballot:
    """A ballot.

    :param data: the canonical JSON that told it, where that is at hand: its body is a part of that.
    """
    parts = keys("a signed ballot", told, {"body", "signature"})
    end = b',"signature":%b}' % _text(codec.text("signature", parts["signature"]))
    body = codec.dumped(parts["body"]) if data is None else data[len(b'{"body":') : -len(end)]
    return codec.ballot_told(parts["body"], parts["signature"], body)


def _seal_vote(told: object) -> SealVote:
    parts = keys("a signed seal vote", told, {"body", "signature"})
    return codec.seal_vote_told(parts["body"], parts["signature"], codec.dumped(parts["body"]))


def _head(told: Mapping[str, Any]) -> Head:
    return Head(codec.whole("index", told["index"]), codec.text("hash", told["hash"]))
