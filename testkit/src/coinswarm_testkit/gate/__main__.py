"""Reads one request from standard input, says on standard output what happens, a JSON object per line, and ends.

Events: ``compiling`` (which takes a while), ``subject`` (whom it judges next, and by how many checks), ``check``
(which begins), ``outcome`` (how it ended), and last ``verdict``, or ``error`` where it cannot judge.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from coinswarm.errors import CoinswarmError
from coinswarm_testkit.gate.judging import judged
from coinswarm_testkit.gate.request import Request

if TYPE_CHECKING:
    from typing import BinaryIO


def tell(out: BinaryIO, event: dict[str, Any]) -> None:
    """Say one event."""
    out.write(json.dumps(event, ensure_ascii=False, allow_nan=False, default=str).encode() + b"\n")
    out.flush()


def main() -> int:
    """Judge what is asked for."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # whatever else is printed in this process is no event
        try:
            verdict = judged(Request.read(sys.stdin.buffer.read()), lambda event: tell(out, event))
        except CoinswarmError as error:
            told = {"message": error.message, "remedy": error.remedy, "exit_code": error.exit_code}
            tell(out, {"event": "error", **told})
        else:
            tell(out, {"event": "verdict", **verdict})
    return 0


def leave(number: int, _frame: object) -> NoReturn:
    """End by way of every context, so that workers end and their folders go; once is enough."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    sys.exit(main())
