"""How a benchmark measures: every contender in a process of its own, repetitions interleaved, CPU seconds.

A row of the table is a script that makes ``Row`` values from a few contenders; ``script`` gives it its command line.
This process imports none of them: what it would load or allocate shows up in nobody's figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).resolve().parent
REPETITIONS = 5
NOT_INSTALLED = "not installed"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""For the contenders: each may keep its bytecode, as it would for its users."""
PACKAGES = (
    *("coinswarm-core", "vectorbt", "vectorbt-rust", "backtesting", "numba", "numpy", "pandas"),
    *("usearch", "redis", "nats-py"),
)


class BenchmarkError(Exception):
    """A contender failed or answered wrongly: its time means nothing. The message is one line."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured run.

    :param cpu: seconds of user and system time.
    :param wall: seconds on the clock.
    :param facts: what else the contender says: fills, equity, peak memory.
    """

    cpu: float
    wall: float
    facts: dict[str, Any]


@dataclass(slots=True)
class Contender:
    """A worker script with its arguments.

    :param name: as the table shows it.
    :param arguments: script in this folder, then what it takes.
    """

    name: str
    arguments: tuple[str, ...]
    samples: list[Sample] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None

    @property
    def command(self) -> list[str]:
        """The command line of the worker."""
        return [sys.executable, str(HERE / self.arguments[0]), *self.arguments[1:]]

    def start(self) -> None:
        """Start the worker; it has loaded its data and run once when this returns."""
        self._process = subprocess.Popen(  # noqa: S603 - scripts of ours by argument list
            self.command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def measure(self) -> None:
        """Let the worker run once more, and keep what it measured."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        self.samples.append(Sample(**self._answer()))

    def stop(self) -> None:
        """End the worker."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def once(self) -> None:
        """Start a fresh process that runs once; what is kept is the cost of the whole process."""
        self.samples.append(fresh([*self.command, "--once"], self.name, answers=True))

    def _answer(self) -> dict[str, Any]:
        """One line from the worker."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            message = f"{self.name} ended with exit code {self._process.wait()}: its reason stands above"
            raise BenchmarkError(message)
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def best(self) -> float:
        """The least CPU seconds of all repetitions."""
        return min(sample.cpu for sample in self.samples)

    @property
    def median(self) -> float:
        """The median of the CPU seconds."""
        return statistics.median(sample.cpu for sample in self.samples)

    def fact(self, name: str) -> Any:  # noqa: ANN401 - what a worker says
        """What the last run said."""
        return self.samples[-1].facts[name]


def fresh(command: Sequence[str], name: str, *, answers: bool = False) -> Sample:
    """Run a command in a process of its own and take its CPU seconds, interpreter start included.

    :param answers: whether its last line of output is JSON to be kept.
    :raises BenchmarkError: it failed.
    """
    start = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - as above
        command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        message = f"{name} ended with exit code {process.returncode}: its reason stands above"
        raise BenchmarkError(message)
    facts = json.loads(text.splitlines()[-1])["facts"] if answers else {"output": text}
    return Sample(used.ru_utime + used.ru_stime, wall, facts)


def interleave(contenders: Sequence[Contender], repetitions: int) -> None:
    """Measure all contenders in turn, so that a busy minute of the machine hits each of them.

    :raises BenchmarkError: one failed.
    """
    try:
        for contender in contenders:
            contender.start()
        for _ in range(repetitions):
            for contender in contenders:
                contender.measure()
    finally:
        for contender in contenders:
            contender.stop()


def interleave_fresh(contenders: Sequence[Contender], repetitions: int) -> None:
    """Like ``interleave``, with a fresh process each time; the first of each only fills caches on disk."""
    for contender in contenders:
        contender.once()
        contender.samples.clear()
    for _ in range(repetitions):
        for contender in contenders:
            contender.once()


def check(contenders: Sequence[Contender], answer: tuple[int, int]) -> None:
    """Hold every contender to the reference answer: another answer is other work.

    :param answer: fills, final equity in cents.
    :raises BenchmarkError: for the first that differs.
    """
    for contender in contenders:
        got = contender.fact("fills"), contender.fact("equity_cents")
        if got != answer:
            message = f"{contender.name} answered {got} (fills, cents), not {answer}: its time means nothing"
            raise BenchmarkError(message)


def fastest(contenders: Sequence[Contender]) -> Contender:
    """The one with the least CPU seconds."""
    return min(contenders, key=lambda contender: contender.best)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table.

    :param name: the work.
    :param ours, peer: what was measured, best and median, as text; ``peer`` says whose.
    :param ratio: how many times better ours is, best against best; above 1 we win.
    :param value: what the target is about.
    :param target: text of the target; empty where none is set.
    :param reached: whether ``value`` meets it; None where none is set.
    :param figures: the numbers behind the text, for ``--json``.
    """

    name: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    value: float
    target: str = ""
    reached: bool | None = None
    figures: dict[str, Any] = field(default_factory=dict)


def speed(contender: Contender, bars: int) -> str:
    """Bars per CPU second, best and median, to be read by people."""
    best, median = bars / contender.best, bars / contender.median
    scale, unit, places = (1e6, "M", 1) if best >= 1e7 else (1e6, "M", 2) if best >= 1e6 else (1e3, "k", 0)  # noqa: PLR2004
    return f"{best / scale:.{places}f} ({median / scale:.{places}f}) {unit} bars/s"


def versus(name: str, ours: Contender, peer: Contender, bars: int, at_least: float | None) -> Row:
    """The row in which one contender of ours meets a peer's on the same work."""
    ratio = peer.best / ours.best
    return Row(
        name=name,
        ours=speed(ours, bars),
        peer=f"{peer.name}: {speed(peer, bars)}",
        ratio=ratio,
        value=ratio,
        target="" if at_least is None else f">= {at_least:g} x",
        reached=None if at_least is None else ratio >= at_least,
        figures={
            "ratio_of_medians": peer.median / ours.median,
            "cpu_s": {c.name: [sample.cpu for sample in c.samples] for c in (ours, peer)},
        },
    )


def machine() -> dict[str, Any]:
    """What was measured, and where."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = NOT_INSTALLED
    return {
        "versions": {"python": platform.python_version(), **found},
        "cores": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def table(rows: Sequence[Row]) -> str:
    """The rows as text, and what they were measured with."""
    lines = [("", "ours: best (median)", "peer: best (median)", "ratio", "target", "")]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        verdict = {None: "", True: "reached", False: "NOT REACHED"}[row.reached]
        lines.append((row.name, row.ours, row.peer, ratio, row.target, verdict))
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    about = machine()
    text.append("")
    text.append(", ".join(f"{name} {number}" for name, number in about["versions"].items() if number != NOT_INSTALLED))
    text.append(f"{about['cores']} cores, load {about['load']}")
    return "\n".join(text)


def script(make: Callable[[int], list[Row]], about: str | None) -> int:
    """The command line of a row's script.

    :param make: the rows, from the number of repetitions.
    :param about: the script's docstring.
    :returns: the exit code: 1 where a contender failed or answered wrongly, else 0.
    """
    import data  # noqa: PLC0415 - numpy, only to write the data set; not measured

    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    data.ensure()
    try:
        rows = make(options.repetitions)
    except BenchmarkError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    show(rows, as_json=options.json)
    return 0


def show(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print the rows."""
    if as_json:
        print(json.dumps({**machine(), "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        print(table(rows))
