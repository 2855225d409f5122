"""Agreement: our fills and equity are backtesting.py's and vectorbt's, to the cent, where their rules can be ours.

``README.md`` says which rules of ours they cannot express.
"""

from __future__ import annotations

import sys

from measure import HERE, BenchmarkError, Row, fresh, script


def rows(_repetitions: int) -> list[Row]:
    """A row per case; one run each, for nothing is measured."""
    cases = fresh([sys.executable, str(HERE / "compare.py")], "compare.py", answers=True).facts
    for case, found in cases.items():
        if found["difference"]:
            message = f"{case}: ours has {found['difference']}"
            raise BenchmarkError(message)
    return [
        Row(
            name=f"equal: {case}",
            ours="equal",
            peer=f"{found['fills']:,} fills, {found['marks']:,} marks of equity",
            value=0.0,
            target="equal",
            reached=True,
            figures=found,
        )
        for case, found in cases.items()
    ]


if __name__ == "__main__":
    sys.exit(script(rows, __doc__))
