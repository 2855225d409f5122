"""Cold starts: fresh processes, interpreter included, bytecode and jitted code already on disk.

A backtest is the first 1,000 bars of W1: nearly all of it is imports and the loading of compiled code. The commands
are what a person waits for; beside them stands the bare interpreter.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from measure import BenchmarkError, Contender, Row, fastest, fresh, interleave_fresh, script

BARS = "1000"
BACKTEST_S = 1.0
COMMANDS = {"coinswarm --help": 0.100, "coinswarm plugins list": 0.150, "coinswarm demo": BACKTEST_S}
"""Command and target in seconds of CPU."""
WITHOUT_SCIPY = "import sys; sys.modules['scipy'] = None; from coinswarm.cli import main; sys.exit(main())"
"""See ``without_scipy.py``."""


def rows(repetitions: int) -> list[Row]:
    """The backtest process, then the commands."""
    return [_backtest(repetitions), *_commands(repetitions)]


def _backtest(repetitions: int) -> Row:
    """A process of the engine alone, against vectorbt's."""
    ours = Contender("coinswarm", ("ours.py", "columns", "columnar", "w1", BARS))
    peers = [Contender(f"vectorbt {engine}", ("peer_vectorbt.py", engine, "w1", BARS)) for engine in ("numba", "rust")]
    interleave_fresh([ours, *peers], repetitions)
    peer = fastest(peers)
    return _row("cold start of a backtest", ours, BACKTEST_S, peer)


def _commands(repetitions: int) -> list[Row]:
    """``coinswarm`` as it is installed beside this interpreter."""
    program = shutil.which("coinswarm", path=str(Path(sys.executable).parent))
    if program is None:
        message = "coinswarm is not installed beside this interpreter: run ./dev bench"
        raise BenchmarkError(message)
    bare = Contender("python", ())
    contenders = [Contender(name, ("coinswarm",)) for name in COMMANDS]
    with tempfile.TemporaryDirectory() as runs:
        commands = [
            [sys.executable, "-c", ""],
            [program, "--help"],
            [program, "plugins", "list"],
            [sys.executable, "-c", WITHOUT_SCIPY, "demo", "--runs", runs],
        ]
        for repetition in range(-1, repetitions):  # the first fills caches on disk
            for contender, command in zip([bare, *contenders], commands, strict=True):
                sample = fresh(command, contender.name)
                if repetition >= 0:
                    contender.samples.append(sample)
    return [_row(c.name, c, target, bare) for c, target in zip(contenders, COMMANDS.values(), strict=True)]


def _row(name: str, ours: Contender, at_most: float, peer: Contender) -> Row:
    """CPU milliseconds, and wall time in the figures."""
    return Row(
        name=name,
        ours=_text(ours),
        peer=f"{peer.name}: {_text(peer)}",
        ratio=peer.best / ours.best if peer.arguments else None,
        value=ours.best * 1e3,
        target=f"<= {at_most * 1e3:.0f} ms",
        reached=ours.best <= at_most,
        figures={
            c.name: {"cpu_s": [sample.cpu for sample in c.samples], "wall_s": [sample.wall for sample in c.samples]}
            for c in (ours, peer)
        },
    )


def _text(contender: Contender) -> str:
    """CPU best and median, and the best wall time."""
    walls = [sample.wall for sample in contender.samples]
    return (
        f"{contender.best * 1e3:.0f} ({contender.median * 1e3:.0f}) ms, "
        f"wall {min(walls) * 1e3:.0f} ({statistics.median(walls) * 1e3:.0f})"
    )


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))
