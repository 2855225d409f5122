"""The folder ``$COINSWARM_HOME/certificates``: what is kept there, and what of it counts.

A certificate counts while it is signed by this user's key or by one that the operator trusts, its schema is this
one's, and the plugin's files on disk are, byte for byte, those that were judged, under the core that judged them.
Everything else has a reason that says what broke.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coinswarm.errors import NotReadyError, OperatorError
from coinswarm.plugins.certificate import (
    TIERS,
    Certificate,
    CertificateError,
    Signed,
    from_text,
    signed_bytes,
    to_text,
)
from coinswarm.plugins.discovery import find_distribution
from coinswarm.plugins.files import replace_text
from coinswarm.plugins.policy import change_policy, read_policy
from coinswarm.plugins.records import CORE_DISTRIBUTION, canonical
from coinswarm.plugins.signing import is_key, own_key, sign, verify
from coinswarm.plugins.trust import digest_of, files_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from coinswarm.plugins.records import PluginRecord

FOLDER = "certificates"
KEY = "certificates"
"""The key that signs them: ``signing.sign``'s name."""

_NAMED = 3
"""How many changed files a message names."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the folder.

    :param signed: what it says; None where it is no certificate.
    :param why: what keeps it from counting, whatever is installed; empty where nothing does.
    """

    path: Path
    signed: Signed | None
    why: str

    @property
    def certificate(self) -> Certificate:
        """What it says; only where it is a certificate."""
        assert self.signed is not None, "asked only where there is one"
        return self.signed.certificate


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate held against what is installed.

    :param why: what broke; empty where it counts.
    """

    found: Found
    why: str


def issue(home: Path, certificate: Certificate) -> Path:
    """Sign a certificate and keep it; one for the same files, settings and market is replaced.

    :raises NotReadyError: when the signing key cannot be used.
    :raises OSError: when it cannot be written.
    """
    key, signature = sign(home, KEY, signed_bytes(certificate))
    return _keep(home, Signed(certificate, key, signature))


def _keep(home: Path, signed: Signed) -> Path:
    """Write a certificate under a name that tells what it is for."""
    of = signed.certificate
    place = digest_of({
        "files": of.digest,
        "settings": repr(sorted(of.settings.items())),
        "market": repr((of.instruments, of.bar_seconds, sorted(of.costs.items()))),
        "key": signed.key,
    })  # fmt: skip
    path = home / FOLDER / f"{of.kind}-{of.name}-{place[:12]}.json"
    replace_text(path, to_text(signed))
    return path


def read_all(home: Path | None) -> tuple[Found, ...]:
    """Every certificate that is kept, sorted by file name; what is wrong with one is told, not raised."""
    if home is None:
        return ()
    try:
        paths = sorted(path for path in (home / FOLDER).iterdir() if path.suffix == ".json")
    except OSError:
        return ()
    if not paths:
        return ()
    trusted = {own_key(home, KEY), *read_policy(home).signers} - {""}
    return tuple(_found(path, trusted) for path in paths)


def _found(path: Path, trusted: Iterable[str]) -> Found:
    """One file of the folder, as far as it can be judged by itself."""
    try:
        signed = from_text(path.read_bytes())
    except OSError as error:
        return Found(path, None, f"it cannot be read ({error.strerror or error})")
    except CertificateError as error:
        return Found(path, None, str(error))
    return Found(path, signed, unsigned(signed, trusted))


def unsigned(signed: Signed, trusted: Iterable[str]) -> str:
    """Why a signature does not count; empty where it does.

    :param trusted: public keys of this user, and of those whom the operator trusts.
    """
    again = f"coinswarm plugins check {signed.certificate.plugin}"
    if not verify(signed.key, signed.signature, signed_bytes(signed.certificate)):
        return f"it is forged or was altered: its signature does not fit what it says: {again}"
    if signed.key not in trusted:
        return (
            f"it is signed by another key ({signed.key}): if it is one you trust, coinswarm plugins certificates "
            f"import FILE --trust {signed.key}; else {again}"
        )
    return ""


def bring(home: Path, path: Path, *, trust: str | None) -> Path:
    """Keep a certificate that was earned elsewhere.

    :param trust: the public key to trust from now on; None: it must be trusted already.
    :raises CertificateError: when it is no certificate, or its signature does not count.
    :raises OperatorError: when ``trust`` is no key.
    """
    if trust is not None and not is_key(trust):
        message = f"--trust {trust!r} is no public key"
        raise OperatorError(message, remedy="write ed25519: and 64 hex digits, as its owner's `show` prints them")
    try:
        signed = from_text(path.read_bytes())
    except CertificateError as error:
        message = f"{path}: {error.message}"
        raise CertificateError(message, remedy=error.remedy) from None
    why = unsigned(signed, {own_key(home, KEY), *read_policy(home).signers, trust or ""} - {""})
    if why:
        message, _, remedy = f"{path}: {why}".rpartition(": ")
        raise CertificateError(message, remedy=remedy)
    if trust is not None and trust == signed.key:
        note = f"trusted with {path.name}"
        change_policy(home, lambda now: now.with_signer(signed.key, note))
    return _keep(home, signed)


def hold(found: Found, records: Iterable[PluginRecord]) -> Held:
    """A certificate, held against what is installed now.

    :param records: every installed plugin.
    """
    if found.signed is None or found.why:
        return Held(found, found.why)
    of = found.certificate
    mine = [r for r in records if r.name == of.plugin and canonical(r.distribution) == canonical(of.distribution)]
    if not mine:
        return Held(found, f"{of.distribution} is not installed: install it, or remove {found.path.name}")
    return Held(found, broken(of, mine[0]))


def broken(of: Certificate, record: PluginRecord) -> str:
    """Why a certificate is not about an installed plugin as it is now; empty where it is.

    Reads every file of the plugin again.
    """
    again = f"coinswarm plugins check {record.name}"
    if of.version != record.version:
        return f"it is for {of.distribution} {of.version}, and {record.version} is installed: {again}"
    was, core = of.made_with.get(CORE_DISTRIBUTION), core_version()
    if was != core:
        return f"it was earned with {CORE_DISTRIBUTION} {was}, and this is {core}: {again}"
    try:
        files = files_of(record)
    except NotReadyError as error:
        return str(error)  # no check mends it: what differs from what was installed has no certificate
    if digest_of(files) == of.digest:
        return ""
    return f"{changed(of.files, files)}: look at what changed, then {again}"


def changed(was: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which files differ from those that were judged, in words."""
    words = [
        f"{name} is not the file that was judged" for name in sorted(was.keys() & now.keys()) if was[name] != now[name]
    ]
    words += [f"{name} was judged and is gone" for name in sorted(was.keys() - now.keys())]
    words += [f"{name} was not there when it was judged" for name in sorted(now.keys() - was.keys())]
    more = f", and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return "; ".join(words[:_NAMED]) + more if words else "its files are not those that were judged"


def core_version() -> str:
    """The version of core that is installed."""
    found = find_distribution(CORE_DISTRIBUTION)
    return found.version if found is not None else ""


def best(holds: Sequence[Held], plugin: str) -> Held | None:
    """The certificate that says most for a plugin: one that counts before one that does not, then by tier and date."""
    mine = [one for one in holds if one.found.signed is not None and one.found.certificate.plugin == plugin]
    return max(mine, key=_rank, default=None)


def _rank(one: Held) -> tuple[bool, int, str]:
    of = one.found.certificate
    return not one.why, TIERS.index(of.tier), of.date
