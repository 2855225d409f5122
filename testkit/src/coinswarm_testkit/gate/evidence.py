"""What gold was measured on, as a certificate tells it, and how it compares with a named set of thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.feeds.files import load_bars, sample, sample_names
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.gather import gather
from coinswarm_testkit.evidence.thresholds import thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.feeds.loaded import Loaded
    from coinswarm_testkit.bench import Bench


def market(data: Mapping[str, Loaded]) -> dict[str, Any]:
    """Instruments, bar length, costs and data of a gold certificate.

    :param data: the operator's own bars, which come before the shipped ones where there are any.
    """
    known = dict(data) or {symbol: load_bars(sample(symbol), symbol=symbol) for symbol in sample_names()}
    lengths = {one.bars.length_ns // 1_000_000_000 for one in known.values()}
    usual = desk.VENUES[desk.USUAL]
    return {
        "instruments": tuple(sorted(known)),
        "bar_seconds": lengths.pop() if len(lengths) == 1 else 0,
        "costs": {
            name.replace("_ppm", "_bps"): getattr(usual, name) / 100
            for name in ("maker_ppm", "taker_ppm", "spread_ppm", "slippage_ppm")
        },
        "data": {symbol: str(one.report.sha256) for symbol, one in sorted(known.items())},
    }


def compared(name: str, bench: Bench) -> list[dict[str, Any]]:
    """A named set of thresholds, met or not met, as plain data; empty without a name or without evidence."""
    if not name or bench.subject.kind != "agent" or "evidence" not in bench.kept:
        return []
    return [{**line._asdict(), "met": line.met} for line in thresholds(name, gather(bench))]
