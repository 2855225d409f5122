"""Columns against vectorbt: an agent with ``decide_all`` over W1 (1M bars) and W2 (20 symbols).

The peer is the faster of vectorbt's two engines.
Ours holds the committee, the risk gate, the fills, the equity curve and the decisions; vectorbt's holds orders and
final equity.
"""

from __future__ import annotations

import sys

from data import ANSWERS, BARS
from measure import Contender, Row, check, fastest, interleave, script, versus

AT_LEAST = 1.5


def rows(repetitions: int) -> list[Row]:
    """W1 and W2, three contenders each."""
    made = []
    for work, answer, title in (("w1", "w1-1m", "columns, W1 1M"), ("w2", "w2", "columns, W2")):
        ours = Contender("coinswarm", ("ours.py", "columns", "columnar", work))
        peers = [Contender(f"vectorbt {engine}", ("peer_vectorbt.py", engine, work)) for engine in ("numba", "rust")]
        interleave([ours, *peers], repetitions)
        check([ours, *peers], ANSWERS[answer])
        made.append(versus(title, ours, fastest(peers), BARS, AT_LEAST))
    return made


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))
