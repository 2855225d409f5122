"""Every row in one table: ``python run.py [ROW ...]``, where ROW is the name of a script beside this one.

Exit code 1 where a contender failed or answered wrongly. A target that is not reached is said, but is no failure:
on a busy machine the same code may miss it.
"""

from __future__ import annotations

import argparse
import sys

import agreement
import columns
import data
import linearity
import measure
import memory
import startup
import steps
import unit_costs

SCRIPTS = {
    module.__name__: module.rows for module in (agreement, columns, steps, unit_costs, linearity, memory, startup)
}


def main() -> int:
    """Run the rows that were asked for, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("row", nargs="*", metavar="ROW", help=f"of {', '.join(SCRIPTS)}; default: all")
    parser.add_argument("--repetitions", type=int, default=measure.REPETITIONS, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    for name in options.row:
        if name not in SCRIPTS:
            parser.error(f"{name} is no row: say one of {', '.join(SCRIPTS)}")
    data.ensure()
    rows: list[measure.Row] = []
    failed = False
    for name in options.row or SCRIPTS:
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        try:
            rows += SCRIPTS[name](options.repetitions)
        except measure.BenchmarkError as error:
            failed = True
            print(f"bench: {name}: {error}", file=sys.stderr)
    measure.show(rows, as_json=options.json)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
