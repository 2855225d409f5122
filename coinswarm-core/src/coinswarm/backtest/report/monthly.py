"""Returns per calendar month and year, from days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from coinswarm.evidence.days import Days


def monthly_returns(days: Days) -> dict[int, dict[int, float]]:
    """Year -> month -> return; month 0 is the whole year. The first and the last may be broken off.

    None of them where equity fell to zero: returns are not defined from there.
    """
    if days.ruined or not len(days):
        return {}
    months = days.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    years = months // 12 + 1970
    found: dict[int, dict[int, float]] = {}
    for year in np.unique(years).tolist():
        inside = years == year
        found[year] = {0: float(days.growth[inside].prod() - 1.0)}
        for month in np.unique(months[inside]).tolist():
            found[year][month % 12 + 1] = float(days.growth[months == month].prod() - 1.0)
    return found
