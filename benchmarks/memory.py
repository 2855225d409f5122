"""Peak memory of a whole process that runs W1 (1M bars) or W2 once, interpreter and libraries included.

Full decisions are kept. The row also fails where pandas is loaded on our run path.
"""

from __future__ import annotations

import sys

from data import ANSWERS
from measure import Contender, Row, check, interleave_fresh, script

AT_MOST_MIB = 450


def rows(repetitions: int) -> list[Row]:
    """W1 and W2 against the vectorbt engine that holds less, and whether pandas was loaded."""
    made = []
    loaded = False
    for work, answer, title in (("w1", "w1-1m", "W1 1M"), ("w2", "w2", "W2")):
        ours = Contender("coinswarm", ("ours.py", "columns", "columnar", work))
        peers = [Contender(f"vectorbt {engine}", ("peer_vectorbt.py", engine, work)) for engine in ("numba", "rust")]
        interleave_fresh([ours, *peers], min(repetitions, 3))  # it hardly varies
        check([ours, *peers], ANSWERS[answer])
        loaded = loaded or any(sample.facts["pandas"] for sample in ours.samples)
        peer = min(peers, key=_peak)
        made.append(
            Row(
                name=f"peak memory, {title}",
                ours=f"{_peak(ours):.0f} MiB",
                peer=f"{peer.name}: {_peak(peer):.0f} MiB",
                ratio=_peak(peer) / _peak(ours),
                value=_peak(ours),
                target=f"<= {AT_MOST_MIB} MiB",
                reached=_peak(ours) <= AT_MOST_MIB,
                figures={contender.name: _peak(contender) for contender in (ours, *peers)},
            )
        )
    made.append(
        Row(
            name="pandas on the run path",
            ours="loaded" if loaded else "not loaded",
            peer="vectorbt: loaded",
            value=float(loaded),
            target="not loaded",
            reached=not loaded,
        )
    )
    return made


def _peak(contender: Contender) -> float:
    """The largest peak of all repetitions, MiB."""
    return max(float(sample.facts["peak_mib"]) for sample in contender.samples)


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))
