"""What a long command is doing: one line on the terminal, rewritten; nothing in a pipe.

On stderr only, and gone when the command has ended: what it prints is its result. Silent where stderr is no
terminal, with ``--quiet``, and with ``--json``.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coinswarm.cli.telling import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLEAR = "\r\x1b[2K"
"""To the line's beginning, and empty it: what every terminal since the VT100 knows."""

COMPILING = "compiling the kernel, once per version: about 15 s"


class Progress:
    """Says which phase a command is in.

    :param shown: whether anything is said.
    """

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        self._open = False

    def phase(self, text: str) -> None:
        """Say what begins now, in place of what was said before; cut to the terminal's width."""
        if not self.shown:
            return
        width = max(_width() - 1, 1)  # the last column would wrap on some terminals
        tell(f"{_CLEAR}{text[:width]}", nl=False, color=True)
        self._open = True

    def warn(self, text: str) -> None:
        """Say what people should know, on a line of stderr that stays, whatever is shown otherwise."""
        self.close()
        tell(text)

    def close(self) -> None:
        """Take the line away."""
        if self._open:
            tell(_CLEAR, nl=False, color=True)
            self._open = False


@contextmanager
def progress(*, as_json: bool) -> Iterator[Progress]:
    """Progress for the length of a command; its line is gone when the block ends, however it ends."""
    one = Progress(shown=not as_json and not _quiet() and _terminal())
    try:
        yield one
    finally:
        one.close()


def must_compile() -> bool:
    """Whether the kernel's compiled code is not in its cache yet; False where nothing will be compiled.

    Imports numba's door, which the run imports anyway.
    """
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}:
        return False
    from coinswarm import _jit

    assert _jit.JITTED, "importing it has set where the cache is"
    return not any(Path(os.environ["NUMBA_CACHE_DIR"]).glob("*/loop.run-*.nbi"))


def running(text: str, *, compiled: bool) -> str:
    """The line for a run; says so where it compiles first.

    :param compiled: whether the run uses compiled code.
    """
    return f"{text} ({COMPILING})" if compiled and must_compile() else text


def _width() -> int:
    """Columns of the terminal on stderr."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _quiet() -> bool:
    """Whether ``--quiet`` was given."""
    ctx = click.get_current_context(silent=True)
    state = ctx.find_root().obj if ctx is not None else None
    return isinstance(state, dict) and bool(state.get("quiet"))


def _terminal() -> bool:
    """Whether stderr is a terminal that can rewrite a line."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
