"""Bytes of what travels and of what is kept: one canonical form, told back strictly or not at all.

What is told back is held to the types, to exactly the fields, and to the one spelling: bytes that are not those that
would be written for what they say are refused. So a digest or a signature over bytes that came is one over what they
mean, and an envelope's body need not be spelled again.
"""

from __future__ import annotations

import json
import sys
import typing
from dataclasses import MISSING, fields
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from coinswarm.canonical import canonical_json
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import CHANGES, Proposal, ProposalKind
from coinswarm.memory.quorum.messages import Notice, Propose, Vote
from coinswarm.memory.quorum.records import Ballot, Entry, Envelope, Head, Outcome, Seal, SealVote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coinswarm.memory.quorum.messages import Message

LIMIT = 256 * 1024
"""Most bytes of one message; the largest honest one is a hundredth of that."""

PROPOSE, VOTE, NOTICE, SEAL = "coinswarm.propose/1", "coinswarm.vote/1", "coinswarm.notice/1", "coinswarm.sealvote/1"
"""What a message says that it is."""

MOST = 1 << 63
"""Every whole number lies below it, and not below its negative: databases keep 64 bits."""

T = TypeVar("T")

_FOREIGN = {"Episode": Episode}
"""Types that the domain's annotations name and import for type checkers only."""


class MalformedError(ValueError):
    """Bytes that say nothing, or not in their one spelling. The message is one line."""


# ── writing ──


def envelope_bytes(envelope: Envelope) -> bytes:
    """An envelope: its body as it was signed, and the signature."""
    return b'{"body":%b,"signature":%b}' % (envelope.body, _text(envelope.signature))


def ballot_bytes(ballot: Ballot) -> bytes:
    """A ballot: its body as it was signed, and the signature."""
    return b'{"body":%b,"signature":%b}' % (ballot.body, _text(ballot.signature))


def message_bytes(message: Message) -> bytes:
    """A message as it travels."""
    match message:
        case Propose(envelope):
            return b'{"envelope":%b,"schema":%b}' % (envelope_bytes(envelope), _text(PROPOSE))
        case Vote(envelope, ballot):
            parts = (ballot_bytes(ballot), envelope_bytes(envelope), _text(VOTE))
            return b'{"ballot":%b,"envelope":%b,"schema":%b}' % parts
        case Notice(head):
            return canonical_json({"hash": head.hash, "index": head.index, "schema": NOTICE})
        case SealVote():
            return b'{"schema":%b,"vote":%b}' % (_text(SEAL), seal_vote_bytes(message))


def seal_vote_bytes(vote: SealVote) -> bytes:
    """A seal vote: its body as it was signed, and the signature."""
    return b'{"body":%b,"signature":%b}' % (vote.body, _text(vote.signature))


def seal_bytes(seal: Seal) -> bytes:
    """A seal, as it is copied elsewhere: one line."""
    votes = b",".join(seal_vote_bytes(vote) for vote in seal.votes)
    return b'{"hash":%b,"index":%d,"votes":[%b]}' % (_text(seal.head.hash), seal.head.index, votes)


def entry_bytes(entry: Entry) -> bytes:
    """An entry of the log, whole."""
    proof = b",".join(ballot_bytes(ballot) for ballot in entry.proof)
    return b'{"at_ns":%d,"envelope":%b,"epoch":%d,"index":%d,"outcome":%b,"previous":%b,"proof":[%b]}' % (
        entry.at_ns,
        envelope_bytes(entry.envelope),
        entry.epoch,
        entry.index,
        _text(entry.outcome),
        _text(entry.previous),
        proof,
    )


def _text(text: str) -> bytes:
    return json.dumps(str(text), ensure_ascii=False).encode()


# ── reading ──


def envelope_from(data: bytes) -> Envelope:
    """The envelope that bytes tell.

    :raises MalformedError: when they tell none.
    """
    return _envelope(_spelled(data))


def ballot_from(data: bytes) -> Ballot:
    """The ballot that bytes tell.

    :raises MalformedError: when they tell none.
    """
    return _ballot(_spelled(data))


def entry_from(data: bytes) -> Entry:
    """The entry that bytes tell; whether it is a good one is for ``fold.advance`` to say.

    :raises MalformedError: when they tell none.
    """
    told = _keys("an entry", _spelled(data), {"at_ns", "envelope", "epoch", "index", "outcome", "previous", "proof"})
    return _made(
        Entry,
        index=_whole("index", told["index"]),
        previous=_line("previous", told["previous"]),
        epoch=_whole("epoch", told["epoch"]),
        at_ns=_whole("at_ns", told["at_ns"]),
        envelope=_envelope(told["envelope"]),
        outcome=_member(Outcome, told["outcome"]),
        proof=tuple(_ballot(one) for one in _listed("proof", told["proof"])),
    )


def seal_from(data: bytes) -> Seal:
    """The seal that bytes tell; who vouches for it is for ``proof.seals`` to say.

    :raises MalformedError: when they tell none.
    """
    told = _keys("a seal", _spelled(data), {"hash", "index", "votes"})
    return Seal(_head(told), tuple(_seal_vote(one) for one in _listed("votes", told["votes"])))


def message_from(data: bytes) -> Message:
    """The message that bytes tell.

    :raises MalformedError: when they tell none.
    """
    told = _spelled(data)
    schema = told.get("schema") if isinstance(told, dict) else None
    match schema:
        case "coinswarm.propose/1":
            return Propose(_envelope(_keys("a proposal", told, {"envelope", "schema"})["envelope"]))
        case "coinswarm.vote/1":
            parts = _keys("a vote", told, {"ballot", "envelope", "schema"})
            return Vote(_envelope(parts["envelope"]), _ballot(parts["ballot"]))
        case "coinswarm.notice/1":
            return Notice(_head(_keys("a notice", told, {"hash", "index", "schema"})))
        case "coinswarm.sealvote/1":
            return _seal_vote(_keys("a seal vote", told, {"schema", "vote"})["vote"])
        case _:
            message = f"a message of schema {str(schema)[:64]!r}, which nobody knows"
            raise MalformedError(message)


def proposal_from(content: object) -> Proposal:
    """The proposal that ``Proposal.content()`` told.

    :param content: as JSON gives it: mappings, lists, texts, whole numbers and truth values.
    :raises MalformedError: when it tells none.
    """
    told = _keys("a proposal", content, {field.name for field in fields(Proposal)})
    kind = _member(ProposalKind, told["kind"])
    change: Any = CHANGES[kind]
    makers = {**_makers(Proposal), "change": _maker(change)}
    return _made(Proposal, **{name: makers[name](value) for name, value in told.items()})


def _envelope(told: object) -> Envelope:
    body, signature, spelled = _signed("an envelope", told, Envelope, "coinswarm.proposal/1")
    body["proposal"] = proposal_from(body["proposal"])
    for field in ("roster", "nonce", "deadline_ns"):
        _whole(field, body[field])
    for field in ("cluster", "shard", "submitter"):
        _line(field, body[field])
    return _spelled_as(_made(Envelope, **body, signature=signature), spelled)


def _ballot(told: object) -> Ballot:
    body, signature, spelled = _signed(
        "a ballot", told, Ballot, "coinswarm.ballot/1", {"verdict": "accepts", "seen_index": "", "seen_hash": "seen"}
    )
    verdict = body.pop("verdict")
    if verdict not in {"ACCEPT", "REJECT"}:
        message = f"a ballot that says {str(verdict)[:64]!r}"
        raise MalformedError(message)
    _whole("roster", body["roster"])
    for field in ("cluster", "shard", "proposal", "findings", "voter"):
        _line(field, body[field])
    seen = Head(_whole("seen_index", body.pop("seen_index")), _line("seen_hash", body.pop("seen_hash")))
    return _spelled_as(_made(Ballot, **body, accepts=verdict == "ACCEPT", seen=seen, signature=signature), spelled)


def _seal_vote(told: object) -> SealVote:
    body, signature, spelled = _signed("a seal vote", told, SealVote, "coinswarm.seal/1", {"index": "", "hash": "head"})
    _whole("roster", body["roster"])
    for field in ("cluster", "shard", "voter"):
        _line(field, body[field])
    head = _head(body)
    del body["index"], body["hash"]
    return _spelled_as(_made(SealVote, **body, head=head, signature=signature), spelled)


def _signed(
    what: str, told: object, kind: type, schema: str, renamed: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], str, bytes]:
    """A signed record's body without its schema, its signature, and the body's spelling.

    :param renamed: keys of the body -> the field they stand for, where the names differ; empty for one more key.
    """
    parts = _keys(what, told, {"body", "signature"})
    renamed = renamed or {}
    plain = {field.name for field in fields(kind)} - {"signature", *renamed.values()}
    body = _keys(what, parts["body"], {"schema", *plain, *renamed})
    if body["schema"] != schema:
        message = f"{what} of schema {str(body['schema'])[:64]!r}, but must be {schema}"
        raise MalformedError(message)
    spelled = _dumped(body)
    return (
        {key: value for key, value in body.items() if key != "schema"},
        _line("signature", parts["signature"]),
        spelled,
    )


def _spelled_as(record: T, body: bytes) -> T:
    """A record whose ``body`` is known already."""
    record.__dict__["body"] = body
    return record


def _spelled(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """What canonical JSON tells.

    :raises MalformedError: when it is none, is too long, or is spelled another way.
    """
    if len(data) > LIMIT:
        message = f"{len(data)} bytes, but at most {LIMIT} are read"
        raise MalformedError(message)
    try:
        told = json.loads(data)
        if _dumped(told) != data:
            message = "not in its canonical form"
            raise MalformedError(message)
    except (ValueError, RecursionError) as error:
        if isinstance(error, MalformedError):
            raise
        message = f"no JSON that can be read ({' '.join(str(error).split())[:100]})"
        raise MalformedError(message) from None
    return told


def _dumped(told: object) -> bytes:
    """Canonical JSON of what JSON told; the same as ``canonical_json``, without looking at each value again."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _keys(what: str, told: object, wanted: set[str]) -> dict[str, Any]:
    if not isinstance(told, dict) or told.keys() != wanted:
        found = sorted(told) if isinstance(told, dict) else type(told).__name__
        message = f"{what} has {str(found)[:200]}, but must have {', '.join(sorted(wanted))}"
        raise MalformedError(message)
    return told


def _head(told: Mapping[str, Any]) -> Head:
    return Head(_whole("index", told["index"]), _line("hash", told["hash"]))


def _whole(what: str, value: object) -> int:
    if type(value) is not int or not -MOST <= value < MOST:
        message = f"{what} is {str(value)[:64]!r}, but must be a whole number of 64 bits"
        raise MalformedError(message)
    return value


def _line(what: str, value: object) -> str:
    if type(value) is not str:
        message = f"{what} is {str(value)[:64]!r}, but must be text"
        raise MalformedError(message)
    return value


def _listed(what: str, value: object) -> list[Any]:
    if type(value) is not list:
        message = f"{what} is {str(value)[:64]!r}, but must be a list"
        raise MalformedError(message)
    return value


E = TypeVar("E", bound=Enum)


def _member(kind: type[E], value: object) -> E:
    try:
        return kind(value)
    except ValueError as error:
        raise MalformedError(str(error)) from None


def _made(kind: type[T], /, **values: object) -> T:
    """A record; what its own checks find is malformed too."""
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        message = " ".join(str(error).split())[:300]
        raise MalformedError(message) from None


@lru_cache(maxsize=64)
def _makers(kind: type) -> dict[str, Callable[[Any], Any]]:
    """Field of a dataclass of the domain -> what makes its value from JSON."""
    hints = typing.get_type_hints(kind, vars(sys.modules[kind.__module__]) | _FOREIGN)
    return {field.name: _maker(hints[field.name]) for field in fields(kind) if field.name != "change"}


@lru_cache(maxsize=64)
def _maker(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - an annotation
    """What makes a value of an annotated type from JSON.

    :raises TypeError: for a type that no proposal's field has had yet.
    """
    if kind in {int, str, bool}:
        return lambda value: _exact(kind, value)
    if get_origin(kind) is tuple:
        each = _maker(get_args(kind)[0])
        return lambda value: tuple(each(one) for one in _listed("a field", value))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda value: _member(kind, value)
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        makers = _makers(kind)
        assert all(field.default_factory is MISSING for field in fields(kind)), "plain values only"

        def made(value: object) -> object:
            told = _keys(f"a {kind.__name__}", value, set(makers))
            return _made(kind, **{name: makers[name](one) for name, one in told.items()})

        return made
    message = f"no form is known for {kind!r}: say in coinswarm.memory.quorum.wire how it is told back"
    raise TypeError(message)


def _exact(kind: type, value: object) -> object:
    if kind is int:
        return _whole("a field", value)
    if type(value) is not kind:
        message = f"{str(value)[:64]!r} must be of type {kind.__name__}"
        raise MalformedError(message)
    return value
