"""What a bar and an order cost in the step path, and in backtesting.py.

Both read W1's decisions from a list, so that no indicator is measured: once with its orders, once with none. The run
without orders gives the cost of a bar, the difference the cost of an order.
"""

from __future__ import annotations

import sys

from data import ANSWERS
from measure import Contender, Row, check, interleave, script

BARS = 100_000
BAR_US, ORDER_US = 1.5, 10.0
"""Targets, in microseconds of CPU."""


def rows(repetitions: int) -> list[Row]:
    """Per bar and per order."""
    contenders = [
        Contender(f"{name} {agent}", (*command, agent, "w1", str(BARS)))
        for name, command in (("coinswarm", ("ours.py", "steps")), ("backtesting.py", ("peer_backtesting.py",)))
        for agent in ("idle", "scripted")
    ]
    interleave(contenders, 3 * repetitions)  # short runs, and a difference of two of them
    idle, scripted, peer_idle, peer_scripted = contenders
    check([scripted, peer_scripted], ANSWERS["w1-100k"])
    check([idle, peer_idle], (0, 1_000_000_000))
    orders = ANSWERS["w1-100k"][0]
    return [
        _row("a bar in the step path", idle.best / BARS, peer_idle.best / BARS, BAR_US),
        _row(
            "an order in the step path",
            (scripted.best - idle.best) / orders,
            (peer_scripted.best - peer_idle.best) / orders,
            ORDER_US,
        ),
    ]


def _row(name: str, ours: float, peer: float, at_most: float) -> Row:
    """Seconds per unit, shown as microseconds."""
    return Row(
        name=name,
        ours=f"{ours * 1e6:.2f} us",
        peer=f"backtesting.py: {peer * 1e6:.2f} us",
        ratio=peer / ours,
        value=ours * 1e6,
        target=f"<= {at_most:g} us",
        reached=ours * 1e6 <= at_most,
        figures={"ours_us": ours * 1e6, "peer_us": peer * 1e6},
    )


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))
