"""The equity curve as a still picture: what a page shows without its script, and a notebook inline."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.backtest.report.markup import Safe, tag
from coinswarm.clock import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]

WIDTH, HEIGHT, EDGE = 720, 200, 8
POINTS = 600
"""Of one curve; two have up to twice as many, because their extremes lie at different rows."""
LOGARITHMIC_FROM = 3.0
"""Where the highest value is so many times the lowest, the scale is logarithmic."""


def sketch(times_ns: I1, curves: Sequence[tuple[str, str, I1]], unit: float, currency: str) -> Safe:
    """An inline SVG of curves over one time axis.

    :param curves: name, CSS class and int64[T] each.
    :param unit: what one is worth in ``currency``.
    """
    if not len(times_ns):
        return Safe("")
    rows = _drawn([curve for _, _, curve in curves])
    values = [(name, style, curve[rows] * unit) for name, style, curve in curves]
    low, high = min(float(v.min()) for _, _, v in values), max(float(v.max()) for _, _, v in values)
    log = low > 0 and high / low >= LOGARITHMIC_FROM
    bottom, top = (math.log(low), math.log(high)) if log else (low, high)
    span = (top - bottom) or 1.0
    seconds = (times_ns[rows] - times_ns[rows[0]]).astype(np.float64)
    x = EDGE + seconds / (seconds[-1] or 1.0) * (WIDTH - 2 * EDGE)
    lines = []
    for name, style, value in values:
        height = np.log(value) if log else value
        y = HEIGHT - EDGE - (height - bottom) / span * (HEIGHT - 2 * EDGE)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
        lines.append(tag("polyline", tag("title", name), points=points, class_=style, fill="none"))
    begin, end = (iso(int(times_ns[place]))[:10] for place in (0, -1))
    said = f"{' and '.join(name for name, _, _ in values)} from {begin} to {end}, {low:,.2f} to {high:,.2f} {currency}"
    scale = ", logarithmic" if log else ""
    picture = tag(
        "svg", *lines, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=said, preserveAspectRatio="none"
    )
    legend = tag("span", *(tag("span", name, class_=f"key {style}") for name, style, _ in values), class_="keys")
    return tag(
        "figure", picture, tag("figcaption", legend, f" {begin} to {end}; {low:,.2f} to {high:,.2f} {currency}{scale}"),
        class_="sketch",
    )  # fmt: skip


def _drawn(curves: Sequence[I1]) -> I1:
    """The rows that a picture shows: both ends, and of each stretch those where a curve is lowest and highest."""
    length = len(curves[0])
    if length <= POINTS:
        return np.arange(length)
    rows = {0, length - 1}
    for begin, end in pairwise(np.linspace(0, length, POINTS // 2 + 1).astype(np.int64).tolist()):
        for curve in curves:
            part = curve[begin:end]
            rows |= {begin + int(part.argmin()), begin + int(part.argmax())}
    return np.array(sorted(rows))
