"""Trust by digest: ``distribution==version sha256:...`` over the files that may run, as they are on disk.

The digest covers what the installer's RECORD lists, each file read again and held against its hash
there. Left out is what differs between two installations of one wheel: the installer's own notes, and
scripts, which lie outside the package folder (they are verified all the same).

Trust breaks when a file differs, when an importable file lies beside the listed ones, when compiled
bytecode is not what its source compiles to, and when an import would not reach these files at all. It
proves which bytes run, not that they are honest.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import marshal
import re
from importlib.machinery import all_suffixes
from importlib.util import MAGIC_NUMBER, cache_from_source, find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm.errors import NotReadyError
from coinswarm.plugins.discovery import find_distribution
from coinswarm.plugins.records import Origin, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import Distribution
    from types import CodeType

    from coinswarm.plugins.records import PluginRecord

_INSTALLERS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+) sha256:(?P<digest>[0-9a-f]{64})")
_CACHE = "__pycache__"
_HEADER_BYTES = 16
_OPTIMIZATIONS = (("", 0), (1, 1), (2, 2))
"""As ``cache_from_source`` and as ``compile`` call them."""

_IMPORTABLE = tuple(all_suffixes())


def trust_line(record: PluginRecord) -> str:
    """What to trust a plugin by: ``coinswarm-trend==0.1.0 sha256:...``.

    :raises NotReadyError: where its files do not allow it, with the file and the remedy.
    """
    try:
        files = files_of(record)
    except NotReadyError as error:
        message = f"{record.label} cannot be trusted: {error.message}"
        raise NotReadyError(message, remedy=error.remedy) from None
    return f"{canonical(record.distribution)}=={record.version} sha256:{digest_of(files)}"


def files_of(record: PluginRecord) -> dict[str, str]:
    """The files that the digest is taken over, each read again: name in RECORD to SHA-256 in hex.

    :raises NotReadyError: where they are not what was installed, with the file and the remedy; the message does
        not name the plugin.
    """
    again = f"reinstall {record.distribution} from a wheel"
    if record.origin is Origin.EDITABLE:
        message = "it is an editable install, whose files may change at any time"
        raise NotReadyError(message, remedy=again)
    distribution = find_distribution(record.distribution)
    if distribution is None:
        message = "it is no longer installed"
        raise NotReadyError(message, remedy="install it again")
    files, problem = _verified(distribution, record.target)
    if problem:
        raise NotReadyError(problem, remedy=again)
    return files


def strange(distribution: Distribution, package: str) -> str:
    """What is not as the installer left it, in one line; empty where all is.

    :param package: that an import must reach.
    """
    return _verified(distribution, package)[1]


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 in hex over names and hashes of files."""
    return hashlib.sha256("".join(f"{name}\0{found}\n" for name, found in sorted(files.items())).encode()).hexdigest()


def is_entry(text: str) -> bool:
    """Whether a text has the form of a trust entry."""
    return bool(_ENTRY.fullmatch(text))


def distrust(record: PluginRecord, entries: Iterable[str]) -> str:
    """Why none of some entries covers a plugin as it is on disk; empty where one does."""
    wanted = [entry for entry in entries if _names(entry, record)]
    if not wanted:
        return f"nobody trusts it: look at it, then coinswarm plugins trust {record.name}"
    try:
        found = trust_line(record)
    except NotReadyError as error:
        return str(error).removeprefix(record.label).lstrip(": ")
    if found in wanted:
        return ""
    return (
        f"it is {found}, and what is trusted is {' or '.join(wanted)}: look at what changed, then "
        f"coinswarm plugins trust {record.name}"
    )


def _names(entry: str, record: PluginRecord) -> bool:
    """Whether an entry is about a plugin's distribution."""
    found = _ENTRY.fullmatch(entry)
    return bool(found) and canonical(found["name"]) == canonical(record.distribution) if found else False


def _verified(distribution: Distribution, target: str) -> tuple[dict[str, str], str]:
    """The files that the digest is taken over, and the first problem that was met (else empty)."""
    record = distribution.read_text("RECORD")
    if record is None:
        return {}, "it has no RECORD of its files"
    listed: dict[Path, str] = {}
    files: dict[str, str] = {}
    for row in csv.reader(record.splitlines()):
        if not row:
            continue
        name, noted = row[0], row[1] if len(row) > 1 else ""
        path = Path(str(distribution.locate_file(name))).resolve()
        inside = not (name.startswith(("../", "/")) or "\\" in name)
        if _is_cached(path) or (path.name == "RECORD" and path.parent.suffix == ".dist-info"):
            continue
        if not noted:
            return {}, f"RECORD gives no hash for {name}"
        problem, found = _compare(path, name, noted)
        if problem:
            return {}, problem
        listed[path] = found
        if inside and not (path.name in _INSTALLERS and path.parent.suffix == ".dist-info"):
            files[name] = found
    problem = next(_strangers(listed), "") or _unreached(listed, target)
    return files, problem


def _compare(path: Path, name: str, noted: str) -> tuple[str, str]:
    """(what is wrong or empty, the SHA-256 in hex) of one file."""
    method, _, value = noted.partition("=")
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"{name} cannot be read ({error.strerror})", ""
    if method != "sha256":
        return f"RECORD has a {method} hash for {name}, not sha256", ""
    digest = hashlib.sha256(data)
    if base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() != value:
        return f"{name} differs from what was installed", ""
    return "", digest.hexdigest()


def _strangers(listed: dict[Path, str]) -> Iterator[str]:
    """Importable files that RECORD does not list, and bytecode that is not its source's."""
    sources = sorted(path for path in listed if path.name.endswith(_IMPORTABLE))
    root = _root(listed)
    folders = {path.parent for path in sources if path.parent != root}
    for path in (*_inside(folders), *(_beside(root, sources) if root is not None else ())):
        if path.resolve() not in listed:
            yield f"{path.name} in {path.parent.name} is importable, but RECORD does not list it"
    for path in sources:
        if path.suffix == ".py":
            yield from _bytecode(path)


def _inside(folders: set[Path]) -> Iterator[Path]:
    """Importable files in a distribution's package folders."""
    for folder in sorted(folders):
        for path in sorted(folder.rglob("*")):
            if path.name.endswith(_IMPORTABLE) and not _is_cached(path):
                yield path


def _is_cached(path: Path) -> bool:
    """Whether a file is bytecode as Python keeps it, ``name.TAG.pyc``; other files in its folder can be imported."""
    return path.parent.name == _CACHE and path.suffix == ".pyc" and "." in path.stem


def _beside(root: Path, sources: list[Path]) -> Iterator[Path]:
    """Files beside a distribution's packages and modules that an import could take for them."""
    for stem in sorted({path.relative_to(root).parts[0].partition(".")[0] for path in sources}):
        for beside in (root / f"{stem}{suffix}" for suffix in _IMPORTABLE):
            if beside.exists():
                yield beside


def _root(listed: dict[Path, str]) -> Path | None:
    """The folder that holds the ``.dist-info``."""
    return next((path.parent.parent for path in listed if path.parent.suffix == ".dist-info"), None)


def _bytecode(source: Path) -> Iterator[str]:
    """Cached bytecode that Python would run in place of a source, and that is not compiled from it."""
    text = source.read_bytes()
    stat = source.stat()
    for name, optimize in _OPTIMIZATIONS:
        cached = Path(cache_from_source(str(source), optimization=name))
        try:
            data = cached.read_bytes()
        except OSError:
            continue
        if data[:4] != MAGIC_NUMBER or len(data) < _HEADER_BYTES:
            continue  # Python ignores it
        flags = int.from_bytes(data[4:8], "little")
        stamp = int.from_bytes(data[8:12], "little"), int.from_bytes(data[12:16], "little")
        if flags == 0 and stamp != (int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF):
            continue  # stale: Python compiles the source anew
        try:
            cached_code: CodeType = marshal.loads(data[_HEADER_BYTES:])  # noqa: S302 - compared, not run
            code = compile(text, str(source), "exec", dont_inherit=True, optimize=optimize)
        except (EOFError, ValueError, TypeError, SyntaxError):
            yield f"{_CACHE}/{cached.name} cannot be compared with its source"
            continue
        if code != cached_code:
            yield f"{_CACHE}/{cached.name} is not what {source.name} compiles to"


def _unreached(listed: dict[Path, str], target: str) -> str:
    """Why importing the target would not reach the listed files; empty where it would."""
    top = target.partition(":")[0].partition(".")[0]
    try:
        spec = find_spec(top)
    except (ImportError, ValueError, AttributeError):
        spec = None
    if spec is None:
        return f"its package {top!r} cannot be found"
    if spec.origin is not None and spec.has_location:
        places = [Path(spec.origin)]
    else:  # a namespace package: all of its folders
        places = [Path(folder) for folder in spec.submodule_search_locations or ()]
    for place in places:
        if place.resolve() not in listed and not any(place.resolve() in path.parents for path in listed):
            return f"an import of {top!r} reaches {place}, which is not part of it"
    return ""
