"""``python -m coinswarm_testkit.chaos [--seconds N] [--rate N] [--seed N]``: real processes, killed and stopped."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm_testkit.chaos.run import run, table
from coinswarm_testkit.chaos.stage import staged

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    """0 only if nothing was lost or applied twice, and log and index are whole."""
    parser = argparse.ArgumentParser(prog="chaos", description="a real quorum under load, killed and stopped")
    parser.add_argument("--seconds", type=float, default=120.0, help="of load and chaos (120)")
    parser.add_argument("--rate", type=float, default=20.0, help="proposals a second (20)")
    parser.add_argument("--seed", type=int, default=0, help="of who is hit, and how (0)")
    given = parser.parse_args(words)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="coinswarm-chaos-") as folder, staged(Path(folder)) as stage:
        for line in stage.about:
            say(f"real server: {line}")
        whole, played, found = run(stage, seconds=given.seconds, rate=given.rate, seed=given.seed, say=say)
        print("\n".join(table(whole, played, found)))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
