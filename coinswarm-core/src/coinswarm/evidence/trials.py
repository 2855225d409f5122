"""What was tried: several backtests of one history, and how many independent ones they amount to (S23).

The effective number of trials is the interpolation of D. H. Bailey and M. López de Prado, "The
Deflated Sharpe Ratio" (2014), appendix 3: ``N = r + (1 - r) M`` for M trials with the average
correlation r of their daily returns: 1 where all are alike, M where none is like another. It errs
upwards where trials form clusters, so the deflated ratio errs downwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.evidence.deflated import MIN_DAYS, moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

_ROUNDING = 1e-9
"""An effective number above a whole one by no more than this is that whole one."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The daily returns of one backtest.

    :param first_day: UTC day of the first return, days since 1970-01-01.
    :param returns: float64[n], one per day, idle days included.
    """

    first_day: int
    returns: Floats


@dataclass(frozen=True, slots=True)
class Pool:
    """What several trials of one history say about luck.

    :param seen: how many there were, whether their returns are known or not.
    :param measured: how many of them have a Sharpe ratio that is known.
    :param correlation: average correlation of the daily returns of those, at least 0; 0 where there is one.
    :param effective: how many independent trials they count as, a whole number.
    :param variance: of the trials' per-day Sharpe ratios, scaled to the length of the run that is judged.
    :param spread_known: False where fewer than two trials are known, or fewer than were declared: then
        ``variance`` is at least 1 ÷ (n - 1), the variance of the Sharpe of n days without any edge.
    """

    seen: int
    measured: int
    correlation: float
    effective: int
    variance: float
    spread_known: bool


def effective_trials(correlation: float, trials: int) -> int:
    """``r + (1 - r) M``, rounded up, at least 1.

    :param correlation: average correlation of the trials' returns; below 0 counts as 0.
    :param trials: M.
    """
    r = min(max(correlation, 0.0), 1.0)
    return max(math.ceil(r + (1.0 - r) * trials - _ROUNDING), 1)


def average_correlation(run: Trial, trials: Sequence[Trial]) -> float:
    """Average correlation of the trials' returns over all pairs, on the days of ``run``.

    Days on which one of a pair has no return add nothing, and a trial with fewer than ``MIN_DAYS``
    there or without variance is like no other: both lower the average, and so raise the effective number.

    :param trials: at least two.
    """
    total = np.zeros(len(run.returns))
    own = 0.0
    for trial in trials:
        begin = max(trial.first_day, run.first_day)
        end = min(trial.first_day + len(trial.returns), run.first_day + len(run.returns))
        if end - begin < MIN_DAYS:
            continue
        z = trial.returns[begin - trial.first_day : end - trial.first_day]
        z = z - z.mean()
        norm = float(np.sqrt(z @ z))
        if norm <= 0.0:
            continue
        total[begin - run.first_day : end - run.first_day] += z / norm
        own += 1.0
    return (float(total @ total) - own) / (len(trials) * (len(trials) - 1))


def pool_trials(run: Trial, trials: Sequence[Trial], seen: int) -> Pool:
    """Pool the trials among which ``run`` was chosen.

    A trial of another length has a Sharpe ratio of another accuracy: each is taken times the root of its
    days - 1 over those of the run, which leaves equal lengths as they are. Trials without a Sharpe
    ratio (they never traded, say) are counted, and have no part in variance and correlation. Trials that
    were declared and are not known count as independent of all others.

    :param run: the run that is judged, with a Sharpe ratio.
    :param trials: all that are known, ``run`` among them.
    :param seen: how many there were, at least ``len(trials)``.
    """
    measured: list[Trial] = []
    sharpes: list[float] = []
    days = len(run.returns) - 1
    for trial in trials:
        found = moments(trial.returns)
        if not isinstance(found, str):
            measured.append(trial)
            sharpes.append(found.sharpe * math.sqrt((found.count - 1) / days))
    several = len(measured) > 1
    correlation = max(average_correlation(run, measured), 0.0) if several else 0.0
    variance = float(np.var(sharpes, ddof=1)) if several else 0.0
    known = several and len(trials) >= seen
    return Pool(
        seen=seen,
        measured=len(measured),
        correlation=correlation,
        effective=effective_trials(correlation, len(trials)) + max(seen - len(trials), 0),
        variance=variance if known else max(variance, 1.0 / days),
        spread_known=known,
    )
