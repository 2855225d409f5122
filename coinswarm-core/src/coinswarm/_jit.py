"""The one importer of numba, and where its compiled code is kept.

``jit`` is ``numba.njit`` with an on-disk cache under
``$XDG_CACHE_HOME/coinswarm/numba/<digest of all that is compiled and where it is>``: an edited callee, or constant, in
another file would otherwise leave a cached caller stale. Where no such folder can be made, a temporary one is
used, with one warning. Where ``NUMBA_CACHE_DIR`` is the null device nothing is read and nothing is kept: what
is cached are pickles, and the judge of plugins loads none that anybody else could have written.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")

JITTED = (
    "indicators.py",
    "committee/columns.py",
    "drivers/ranking.py",
    "simulator/kernel/desk.py",
    "simulator/kernel/exchange.py",
    "simulator/kernel/fills.py",
    "simulator/kernel/gate.py",
    "simulator/kernel/loop.py",
    "simulator/kernel/money.py",
    "simulator/kernel/orders.py",
    "simulator/kernel/sizing.py",
    "simulator/kernel/trades.py",
)
"""Every file of this package that holds jitted code; a test compares it with the sources."""

CONSTANTS = ("simulator/kernel/codes.py", "simulator/kernel/layout.py")
"""Files whose numbers and types are compiled into it; a test compares this too."""


def _sources_digest() -> str:
    """SHA-256 over what is compiled and its folder (first 16 hex digits)."""
    root = Path(__file__).parent
    digest = hashlib.sha256(f"{sys.version}\0{root}\0".encode())
    for name in (*JITTED, *CONSTANTS):
        path = root / name
        digest.update(name.encode())
        if path.exists():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return a folder that can be written, made if need be."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    try:
        root = Path(base) if base else Path.home() / ".cache"
        folder = root / "coinswarm" / "numba" / _sources_digest()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError) as error:
        warnings.warn(
            f"compiled code cannot be kept ({error}); each process compiles anew: set XDG_CACHE_HOME "
            "to a folder that can be written",
            RuntimeWarning,
            stacklevel=2,
        )
        return Path(tempfile.mkdtemp(prefix="coinswarm-numba-"))


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())

import numba  # noqa: E402 - the cache folder must be set before numba reads it

KEPT = os.environ["NUMBA_CACHE_DIR"] != os.devnull
"""Whether compiled code is read from disk and written there."""


def jit(function: F) -> F:
    """Compile on first use, cached on disk; ``function.py_func`` is the plain one."""
    return cast("F", numba.njit(cache=KEPT, error_model="numpy")(function))


_TYPES: dict[str, Any] = {
    "int": numba.int64,
    "None": numba.void,
    "I1": numba.int64[::1],
    "I2": numba.int64[:, ::1],
    "Short": numba.int32[::1],
}


def typed_jit(*tuples: type) -> Callable[[F], F]:
    """``jit`` for functions whose annotations are ``int``, ``None`` or one of the given named tuples.

    The annotations become the one signature that is compiled, when the module is imported. Without it
    numba compiles a function anew for every literal it is called with, which takes minutes in a file of
    many small functions.

    :param tuples: named tuples of C-contiguous arrays, annotated ``I1`` and ``I2`` (int64, one and two
        dimensions) or ``Short`` (int32).
    """
    known = dict(_TYPES)
    for kind in tuples:
        notes: list[Any] = list(kind.__annotations__.values())
        fields = [_TYPES[getattr(note, "__forward_arg__", note)] for note in notes]
        alike = len(set(fields)) == 1  # numba has a type of its own for these
        known[kind.__name__] = (
            numba.types.NamedUniTuple(fields[0], len(fields), kind)  # type: ignore[no-untyped-call]
            if alike
            else numba.types.NamedTuple(fields, kind)  # type: ignore[no-untyped-call]
        )

    def decorate(function: F) -> F:
        names = {name: str(note) for name, note in function.__annotations__.items()}
        result = known[names.pop("return")]
        signature = result(*(known[note] for note in names.values()))
        return cast("F", numba.njit(signature, cache=KEPT, error_model="numpy")(function))

    return decorate
