"""What gold was measured on, as a certificate tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.feeds.files import Loaded
    from coinswarm_testkit.gate.request import Request


def market(request: Request, data: Mapping[str, Loaded]) -> dict[str, Any]:
    """Instruments, bar length, costs and data of a gold certificate.

    :param data: the recorded bars that were given.
    """
    lengths = {one.bars.length_ns // 1_000_000_000 for one in data.values()}
    return {
        "instruments": tuple(sorted(data)),
        "bar_seconds": lengths.pop() if len(lengths) == 1 else 0,
        "costs": dict(request.costs),
        "data": {symbol: str(one.report.sha256) for symbol, one in sorted(data.items())},
    }
