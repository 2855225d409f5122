"""Steps against backtesting.py: an agent with ``decide`` alone over W1 (1M bars) and W2.

Two ways of ours: the step path, which is the reference exchange and the paper engine, and the default engine, which
asks the agent bar by bar and leaves the rest to the kernel. backtesting.py knows one instrument: its W2 is twenty runs.
"""

from __future__ import annotations

import sys

from data import ANSWERS, BARS
from measure import Contender, Row, check, interleave, script, versus

AT_LEAST = 3.0


def rows(repetitions: int) -> list[Row]:
    """W1 and W2, three contenders each."""
    made = []
    for work, answer, title in (("w1", "w1-1m", "W1 1M"), ("w2", "w2", "W2")):
        stepped = Contender("coinswarm steps", ("ours.py", "steps", "stepwise", work))
        decided = Contender("coinswarm", ("ours.py", "columns", "stepwise", work))
        peer = Contender("backtesting.py", ("peer_backtesting.py", "cross", work))
        interleave([stepped, decided, peer], repetitions)
        check([stepped, decided, peer], ANSWERS[answer])
        made.append(versus(f"steps, {title}", stepped, peer, BARS, AT_LEAST))
        made.append(versus(f"decide and kernel, {title}", decided, peer, BARS, AT_LEAST))
    return made


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))
