"""Linearity: what a bar of W1 costs at 1M bars, divided by what it costs at 100k; 1 is linear, more is worse."""

from __future__ import annotations

import sys

from data import ANSWERS, BARS
from measure import Contender, Row, check, interleave, script

SHORT = 100_000
AT_MOST = 1.1


def rows(repetitions: int) -> list[Row]:
    """Both engines of ours, and vectorbt's and backtesting.py's beside them."""
    made = []
    for title, ours, peer_name, peer in (
        ("columns", ("ours.py", "columns", "columnar", "w1"), "vectorbt rust", ("peer_vectorbt.py", "rust", "w1")),
        ("steps", ("ours.py", "steps", "stepwise", "w1"), "", ()),
    ):
        commands = [ours, peer] if peer else [ours]
        pairs = [
            [Contender(f"{command[0]} {bars}", (*command, str(bars))) for bars in (SHORT, BARS)] for command in commands
        ]
        for short, long in pairs:
            interleave([short, long], repetitions)
            check([short], ANSWERS["w1-100k"])
            check([long], ANSWERS["w1-1m"])
        ratios = [long.best / BARS / (short.best / SHORT) for short, long in pairs]
        made.append(
            Row(
                name=f"linearity, {title}",
                ours=f"{ratios[0]:.2f}",
                peer=f"{peer_name}: {ratios[1]:.2f}" if peer else "",
                value=ratios[0],
                target=f"<= {AT_MOST:g}",
                reached=ratios[0] <= AT_MOST,
                figures={"ours": ratios[0], **({peer_name: ratios[1]} if peer else {})},
            )
        )
    return made


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))
