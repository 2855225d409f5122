"""What a certificate says, and its one spelling: the bytes that are signed.

A certificate is JSON: ``{"certificate": {...}, "key": "ed25519:…", "signature": "…"}``. Inside stands what was
judged (a subject, its plugin and the digest of the plugin's files), by what (versions, platform, seed), with
what (settings, and for gold the market and its costs), and what came of every check.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from coinswarm.errors import OperatorError
from coinswarm.plugins.discovery import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "coinswarm.certificate/1"
"""Names the layout; a change of layout takes the next number, and older certificates are then expired."""

TIERS = ("bronze", "silver", "gold")
"""From least to most."""

Outcome = Literal["passed", "failed", "skipped", "waived", "incomplete"]
OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "skipped", "waived", "incomplete")

_LARGEST = 16_000_000
"""Bytes of a certificate's file that are read at most."""


class CertificateError(OperatorError):
    """A file that is no certificate that counts; the message says what broke, without naming the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """What came of one check.

    :param category: 0 packaging, 1 to 7 the soundness categories.
    :param measured, limit: numbers by name, where the check measures something.
    :param reason: why it failed, was skipped or waived; empty where it passed.
    """

    id: str
    title: str
    category: int
    tier: str
    outcome: Outcome
    seconds: float
    measured: Mapping[str, Any] = field(default_factory=dict)
    limit: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate says.

    :param kind, name: what was judged, as ``agent`` and ``trend``.
    :param digest: SHA-256 in hex over the installed files of its distribution (``trust.digest_of``).
    :param files: those files: name to SHA-256.
    :param made_with: versions of core, testkit, plugin API, Python and what the plugin depends on.
    :param settings: as given to the judge; what is left out has its default.
    :param instruments: symbols whose bars gold was measured on. :param bar_seconds: their length; 0: none.
    :param costs: in basis points, by their name in a profile; empty below gold.
    :param data: per symbol, the SHA-256 of the bars.
    :param trials: variants that the evidence was deflated by; None where nobody knows.
    :param thresholds: the named set that was also compared; not what the tier rests on.
    :param waivers: check to reason.
    :param declaration: what the plugin declared.
    :param asked: the tier that was asked for. :param tier: the one that was reached.
    :param date: ISO 8601, UTC.
    """

    kind: str
    name: str
    plugin: str
    distribution: str
    version: str
    digest: str
    files: Mapping[str, str]
    made_with: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    instruments: tuple[str, ...] = ()
    bar_seconds: int = 0
    costs: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    trials: int | None = None
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    platform: str = ""
    waivers: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[CheckRow, ...]
    declaration: Mapping[str, Any] = field(default_factory=dict)
    asked: str
    tier: str
    date: str

    def as_dict(self) -> dict[str, Any]:
        """The certificate as JSON holds it."""
        return {"schema": SCHEMA, **json.loads(json.dumps(asdict(self), allow_nan=False))}

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"the {self.tier} certificate of {self.kind} {self.name!r} ({self.distribution} {self.version})"

    def numbers(self) -> dict[str, float]:
        """Every number that a gold check measured, by name; where two measured one name, the last counts."""
        return {
            name: value
            for row in self.checks
            if row.tier == "gold"
            for name, value in row.measured.items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and who signed it; whether that is so, ``signing.verify`` tells.

    :param key: ``ed25519:`` and the public key in hex. :param signature: in hex.
    """

    certificate: Certificate
    key: str
    signature: str

    @property
    def id(self) -> str:
        """Twelve hex digits that name it."""
        return self.digest[:12]

    @property
    def digest(self) -> str:
        """SHA-256 of what is signed, in full: what a quorum is shown of it."""
        return hashlib.sha256(signed_bytes(self.certificate)).hexdigest()


def signed_bytes(certificate: Certificate) -> bytes:
    """What the signature is over: JSON with sorted keys and without white space, after the schema."""
    plain = json.dumps(certificate.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{SCHEMA}\n{plain}".encode()


def to_text(signed: Signed) -> str:
    """The file of a signed certificate."""
    whole = {"certificate": signed.certificate.as_dict(), "key": signed.key, "signature": signed.signature}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def from_text(data: bytes) -> Signed:
    """Read a certificate's file; nothing is verified but its form.

    :raises CertificateError: saying what is wrong with it.
    """
    if len(data) > _LARGEST:
        _refuse(f"it is larger than {_LARGEST:,} bytes")
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        _refuse("it is not JSON")
    body = whole.get("certificate") if isinstance(whole, dict) else None
    if not isinstance(whole, dict) or not isinstance(body, dict):
        _refuse("it has no certificate inside")
    schema = body.get("schema")
    if schema != SCHEMA:
        message = f"its schema {schema!r} has expired: this Coinswarm reads {SCHEMA!r}"
        raise CertificateError(message, remedy=_again(body))
    key, signature = whole.get("key"), whole.get("signature")
    if not (isinstance(key, str) and isinstance(signature, str) and key and signature):
        message = "it is not signed"
        raise CertificateError(message, remedy=_again(body))
    signed = Signed(_certificate(body), key, signature)
    try:
        signed_bytes(signed.certificate)
    except (ValueError, RecursionError):
        _refuse("it holds a number or a letter that JSON has no word for")
    return signed


def _certificate(body: dict[str, Any]) -> Certificate:
    """The certificate that a JSON object says."""
    known = {one.name: one for one in fields(Certificate)}
    given = {name: value for name, value in body.items() if name != "schema"}
    if unknown := sorted(given.keys() - known.keys()):
        _refuse(f"it has the unknown field {unknown[0]!r}")
    if missing := [name for name in known if name not in given]:
        _refuse(f"it lacks {missing[0]!r}")
    texts = ("kind", "name", "plugin", "distribution", "version", "digest", "platform", "asked", "tier", "date")
    tables = ("files", "made_with", "settings", "costs", "data", "thresholds", "waivers", "declaration")
    wrong = [name for name in texts if not isinstance(given[name], str)]
    wrong += [name for name in tables if not isinstance(given[name], dict)]
    wrong += [name for name in ("bar_seconds", "seed") if type(given[name]) is not int]
    wrong += ["trials"] if given["trials"] is not None and type(given["trials"]) is not int else []
    wrong += ["instruments"] if not _texts(given["instruments"]) else []
    wrong += [name for name in ("tier", "asked") if given[name] not in TIERS]
    wrong += [
        name for name in ("kind", "name", "plugin") if isinstance(given[name], str) and not NAME.fullmatch(given[name])
    ]
    if wrong:
        _refuse(f"{wrong[0]} is {str(given[wrong[0]])[:60]!r}")
    given["instruments"] = tuple(given["instruments"])
    given["checks"] = tuple(_row(entry) for entry in _list(given["checks"]))
    return Certificate(**given)


def _row(entry: object) -> CheckRow:
    """One check of a JSON list."""
    names = {one.name for one in fields(CheckRow)}
    if not isinstance(entry, dict) or entry.keys() != names or entry["outcome"] not in OUTCOMES:
        _refuse("one of its checks is not what a check is")
    if not (isinstance(entry["measured"], dict) and isinstance(entry["limit"], dict)):
        _refuse("one of its checks is not what a check is")
    return CheckRow(**entry)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        _refuse("it has no list of checks")
    return value


def _refuse(why: str) -> NoReturn:
    message = f"it is no certificate ({why})"
    raise CertificateError(message, remedy="restore the file, or remove it") from None


def _again(body: Mapping[str, Any]) -> str:
    """How the certificate is earned again."""
    plugin = body.get("plugin")
    return f"coinswarm plugins check {plugin}" if isinstance(plugin, str) and plugin.isprintable() else "earn it again"
