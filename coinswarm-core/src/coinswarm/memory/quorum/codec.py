"""Signed records back from their canonical bytes: what was hashed and signed is what is kept and sent.

Reading is strict: held to the types, to exactly the fields, and to the one spelling. Bytes that are not those that
would be written for what they say are refused, so that nothing stands in a database or a message that no signature
covers, and a record's body need not be spelled again. The commonest records are told without a way through JSON, and
each once (``quick``).
"""

from __future__ import annotations

import json
import sys
import typing
from dataclasses import MISSING, fields
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import CHANGES, Proposal, ProposalKind
from coinswarm.memory.quorum import quick
from coinswarm.memory.quorum.records import Ballot, Envelope, Head, SealVote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

LIMIT = 256 * 1024
"""Most bytes of a message."""

BODY_LIMIT = LIMIT - 16 * 1024
"""Most bytes of a proposal's body: with two signatures and a ballot it still fits into a message, and onto a disk.

The largest honest one, of 64 episodes, is a third of that."""

SIGNATURE_LIMIT = 2_048
"""Most characters of a signature; the longest honest one, by which 65,536 bodies were signed, has 1,200."""

MOST = 1 << 63
"""Every whole number lies below it, and not below its negative: databases keep 64 bits."""

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

_PROPOSAL = frozenset(field.name for field in fields(Proposal))

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

_ENVELOPES, _BALLOTS = quick.Lately[Envelope](4_096), quick.Lately[Ballot](16_384)

_FOREIGN = {"Episode": Episode}
"""Types that the domain's annotations name and import for type checkers only."""


class MalformedError(ValueError):
    """Bytes that say nothing, or not in their one spelling. The message is one line."""


def envelope_from(body: bytes, signature: str) -> Envelope:
    """The envelope of which these are the bytes.

    :raises MalformedError: when they are those of none.
    """
    found = _ENVELOPES.find(body, signature)
    if found is None:
        plain = type(signature) is str and len(body) <= BODY_LIMIT and len(signature) <= SIGNATURE_LIMIT
        found = (quick.envelope(body, signature) if plain else None) or envelope_told(read_json(body), signature, body)
        _ENVELOPES.keep(found)
    return found


def ballot_from(body: bytes, signature: str) -> Ballot:
    """The ballot of which these are the bytes.

    :raises MalformedError: when they are those of none.
    """
    found = _BALLOTS.find(body, signature)
    if found is None:
        plain = type(signature) is str and len(body) <= LIMIT and len(signature) <= SIGNATURE_LIMIT
        found = (quick.ballot(body, signature) if plain else None) or ballot_told(read_json(body), signature, body)
        _BALLOTS.keep(found)
    return found


def seal_vote_from(body: bytes, signature: str) -> SealVote:
    """The seal vote of which these are the bytes.

    :raises MalformedError: when they are those of none.
    """
    return seal_vote_told(read_json(body), signature, body)


def proposal_from(content: object) -> Proposal:
    """The proposal that ``Proposal.content()`` told.

    :param content: as JSON gives it: mappings, lists, texts, whole numbers and truth values.
    :raises MalformedError: when it tells none.
    """
    told = keys("a proposal", content, _PROPOSAL)
    kind = member(ProposalKind, told["kind"])
    change: Any = CHANGES[kind]
    makers = {**_makers(Proposal), "change": _maker(change)}
    return made(Proposal, **{name: makers[name](value) for name, value in told.items()})


def envelope_told(told: object, signature: str, spelled: bytes) -> Envelope:
    """The envelope whose body canonical JSON told.

    :param spelled: that canonical JSON.
    :raises MalformedError: when it tells none, or one that is too long.
    """
    if len(spelled) > BODY_LIMIT:
        message = f"a proposal of {len(spelled)} bytes, but at most {BODY_LIMIT} are taken"
        raise MalformedError(message)
    body = _signed("an envelope", told, Envelope, "coinswarm.proposal/1")
    body["proposal"] = proposal_from(body["proposal"])
    return _spelled_as(_fields(Envelope, body, signature), spelled)


def ballot_told(told: object, signature: str, spelled: bytes) -> Ballot:
    """The ballot whose body canonical JSON told; as ``envelope_told``.

    :raises MalformedError: when it tells none.
    """
    renamed = {"verdict": "accepts", "seen_index": "seen", "seen_hash": "seen"}
    body = _signed("a ballot", told, Ballot, "coinswarm.ballot/1", renamed)
    verdict = text("verdict", body.pop("verdict"))
    if verdict not in {"ACCEPT", "REJECT"}:
        message = f"a ballot that says {verdict[:64]!r}"
        raise MalformedError(message)
    seen = Head(whole("seen_index", body.pop("seen_index")), text("seen_hash", body.pop("seen_hash")))
    return _spelled_as(_fields(Ballot, {**body, "accepts": verdict == "ACCEPT", "seen": seen}, signature), spelled)


def seal_vote_told(told: object, signature: str, spelled: bytes) -> SealVote:
    """The seal vote whose body canonical JSON told; as ``envelope_told``.

    :raises MalformedError: when it tells none.
    """
    body = _signed("a seal vote", told, SealVote, "coinswarm.seal/1", {"index": "head", "hash": "head"})
    head = Head(whole("index", body.pop("index")), text("hash", body.pop("hash")))
    return _spelled_as(_fields(SealVote, {**body, "head": head}, signature), spelled)


def read_json(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """What canonical JSON tells.

    :raises MalformedError: when it is none, is too long, or is spelled another way.
    """
    if len(data) > LIMIT:
        message = f"{len(data)} bytes, but at most {LIMIT} are read"
        raise MalformedError(message)
    try:
        told = json.loads(data)
        spelled = dumped(told)
    except (ValueError, RecursionError) as error:
        message = f"it cannot be read as JSON ({' '.join(str(error).split())[:100]})"
        raise MalformedError(message) from None
    if spelled != data:
        message = "it is not in its canonical form"
        raise MalformedError(message)
    return told


def dumped(told: object) -> bytes:
    """Canonical JSON of what JSON told; the same as ``canonical_json``, without looking at each value again."""
    return _ENCODER.encode(told).encode()


def keys(what: str, told: object, wanted: AbstractSet[str]) -> dict[str, Any]:
    """A mapping with exactly these keys."""
    if not isinstance(told, dict) or told.keys() != wanted:
        found = sorted(told) if isinstance(told, dict) else type(told).__name__
        message = f"{what} cannot be read: it has {str(found)[:200]}, but must have {', '.join(sorted(wanted))}"
        raise MalformedError(message)
    return told


def whole(what: str, value: object) -> int:
    """A whole number of 64 bits."""
    if type(value) is not int or not -MOST <= value < MOST:
        message = f"{what} is {str(value)[:64]!r}, but must be a whole number of 64 bits"
        raise MalformedError(message)
    return value


def text(what: str, value: object) -> str:
    """A text."""
    if type(value) is not str:
        message = f"{what} is {str(value)[:64]!r}, but must be text"
        raise MalformedError(message)
    return value


def listed(what: str, value: object) -> list[Any]:
    """A list."""
    if type(value) is not list:
        message = f"{what} is {str(value)[:64]!r}, but must be a list"
        raise MalformedError(message)
    return value


def member(kind: type[E], value: object) -> E:
    """A member of an enumeration."""
    try:
        return kind(value)
    except ValueError as error:
        raise MalformedError(str(error)) from None


def made(kind: type[T], /, **values: object) -> T:
    """A record; what its own checks find is malformed too."""
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        message = " ".join(str(error).split())[:300]
        raise MalformedError(message) from None


def _signed(
    what: str, told: object, kind: type, schema: str, renamed: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A signed record's body without its schema.

    :param renamed: keys of the body -> the field they stand for, where the names differ.
    """
    renamed = renamed or {}
    body = keys(what, told, _keys_of(kind, tuple(renamed.items())))
    if body["schema"] != schema:
        message = f"{what} of schema {str(body['schema'])[:64]!r} is not in its canonical form: it must be {schema}"
        raise MalformedError(message)
    return {key: value for key, value in body.items() if key != "schema"}


@lru_cache(maxsize=16)
def _keys_of(kind: type, renamed: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """The keys of a signed record's body."""
    plain = {field.name for field in fields(kind)} - {"signature", *(field for _, field in renamed)}
    return frozenset({"schema", *plain, *(key for key, _ in renamed)})


_HEADS: dict[str, Callable[[str, object], object]] = {
    **dict.fromkeys(("roster", "nonce", "deadline_ns"), whole),
    **dict.fromkeys(("cluster", "shard", "submitter", "proposal", "findings", "voter"), text),
}
"""What the plain fields of signed records are."""


def _fields(kind: type[T], values: Mapping[str, Any], signature: str) -> T:
    """A signed record, its plain fields held to their types."""
    for name, value in values.items():
        if name in _HEADS and not (name == "proposal" and isinstance(value, Proposal)):
            _HEADS[name](name, value)
    if len(text("signature", signature)) > SIGNATURE_LIMIT:
        message = f"a signature of {len(signature)} characters, but at most {SIGNATURE_LIMIT} are read"
        raise MalformedError(message)
    return made(kind, **values, signature=signature)


def _spelled_as(record: T, body: bytes) -> T:
    """A record whose ``body`` is known already."""
    record.__dict__["body"] = body
    return record


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
        return lambda value: tuple(each(one) for one in listed("a field", value))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda value: member(kind, value)
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        makers = _makers(kind)
        assert all(field.default_factory is MISSING for field in fields(kind)), "plain values only"

        def read(value: object) -> object:
            told = keys(f"a {kind.__name__}", value, set(makers))
            return made(kind, **{name: makers[name](one) for name, one in told.items()})

        return read
    message = f"no form is known for {kind!r}: say in coinswarm.memory.quorum.codec how it is told back"
    raise TypeError(message)


def _exact(kind: type, value: object) -> object:
    if kind is int:
        return whole("a field", value)
    if type(value) is not kind:
        message = f"{str(value)[:64]!r} must be of type {kind.__name__}"
        raise MalformedError(message)
    return value
