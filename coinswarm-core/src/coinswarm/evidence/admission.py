"""Which evidence is good enough for live trading: a pure function of daily returns and of what was tried (S22, S23).

The rule: the probability that the true Sharpe ratio lies above zero (PSR) reaches ``1 - family_error ÷ trials``, with
every trial counted. Whatever was tried on one history is a family; by Boole's inequality the chance that a family
without any edge has *one* variant admitted is at most ``family_error``, however its variants resemble one another.
That is the same as a track record at least as long as the minimum track record length at that confidence.

Not the deflated Sharpe ratio (DSR) alone, which is measured beside it and may be demanded too. It takes the spread
between the trials' Sharpe ratios for luck:

- settings of one idea resemble one another, differ little, and so deflate little. Of families of ten without an edge, a
  DSR of 0.95 admits 0.05 % where the ten are independent, 5 % where all are the same, and 8.5 % where their returns
  correlate by 0.9 (normal returns);
- where one of ten has a real edge, that edge widens the spread and raises the bar for itself: an annualised Sharpe
  ratio of 2 passes after five years in 60 % of cases, against 95 % by this rule.

``benchmarks/zero_edge.py`` measures both rules on the engine's own runs.

``FAMILY_ERROR`` follows from what is asked of the rule, before any measurement. Admitting a true annualised Sharpe
ratio of 2 in nine of ten cases after three years with one trial takes a bar of at most ``2 √3 - Φ⁻¹(0.9) = 2.18``
standard errors: an error of at least 1.5 %. Showing on 400 families that the share of falsely admitted ones is below
5 % (one-sided Clopper-Pearson bound of 95 %) allows 12 of them; for that to succeed in nine of ten studies the true
share must be at most 2.1 %. 2 % lies between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coinswarm.evidence.deflated import Known, Moments, deflated, minimum_track_record, probabilistic, proving
from coinswarm.evidence.trials import Trial, pool_trials

if TYPE_CHECKING:
    from collections.abc import Sequence

FAMILY_ERROR = 0.02
"""Chance that any of the variants tried on a history without an edge is admitted, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What evidence must reach.

    :param family_error: of the rule above, between 0 and 0.5.
    :param days: days of track record, whatever they show.
    :param dsr: a deflated Sharpe ratio to be reached as well; 0: none.
    """

    family_error: float = FAMILY_ERROR
    days: int = 0
    dsr: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.family_error < 0.5:  # noqa: PLR2004 - above it nothing is demanded
            message = f"family_error is {self.family_error}, not between 0 and 0.5"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The verdict on one track record.

    :param reasons: what is missing, one line each; empty: admitted.
    :param trials: how many were counted; None: unknown.
    :param days: days of the track record.
    :param psr: probability that the true Sharpe ratio is above zero, had nothing else been tried.
    :param needed: what ``psr`` must reach; None where the trials are unknown.
    :param dsr: the deflated Sharpe ratio.
    :param track_record: days like these that would reach ``needed``.
    """

    reasons: tuple[str, ...]
    trials: int | None
    days: int
    psr: Known
    needed: float | None
    dsr: Known
    track_record: Known

    @property
    def admitted(self) -> bool:
        """Whether the evidence suffices."""
        return not self.reasons


def admit(
    run: Trial, trials: Sequence[Trial] | None, *, declared: int | None = None, demand: Demand | None = None
) -> Admission:
    """Judge a track record.

    :param run: its daily returns after all costs, idle days included.
    :param trials: all that are known of its history, ``run`` among them; None: unknown.
    :param declared: how many variants its author declares, this one included; the larger count holds.
    """
    demand = demand or Demand()
    counts = [count for count in (None if trials is None else len(trials), declared) if count is not None]
    count = max(1, *counts) if counts else None
    found = proving(run.returns)
    if isinstance(found, str) or count is None:
        unknown = found if isinstance(found, str) else "the number of trials is unknown"
        psr = Known(why=found) if isinstance(found, str) else probabilistic(found)
        nothing = Known(why=unknown)
        return Admission(
            reasons=(unknown,),
            trials=count,
            days=len(run.returns),
            psr=psr,
            needed=None,
            dsr=nothing,
            track_record=nothing,
        )
    return _judge(found, demand, count, _dsr(run, found, trials, count))


def _dsr(run: Trial, found: Moments, trials: Sequence[Trial] | None, count: int) -> Known:
    """The deflated Sharpe ratio among the trials."""
    pool = pool_trials(run, trials or [run], count)
    return deflated(found, pool.variance, pool.effective)


def _judge(found: Moments, demand: Demand, count: int, dsr: Known) -> Admission:
    """The verdict where everything is known."""
    needed = 1.0 - demand.family_error / count
    psr = probabilistic(found)
    record = minimum_track_record(found, level=needed)
    reasons = []
    if psr.value is None:
        reasons.append(psr.why)
    elif psr.value < needed:
        many = "one trial demands" if count == 1 else f"{count} trials demand"
        enough = f"{record.value:,.0f} days like these would" if record.value is not None else record.why
        reasons.append(f"PSR(0) is {psr.value:.4f}, {many} {needed:.4f}: {enough}")
    if found.count < demand.days:
        reasons.append(f"{found.count} days of track record, {demand.days} are demanded")
    if demand.dsr and (dsr.value is None or dsr.value < demand.dsr):
        shown = dsr.why if dsr.value is None else f"{dsr.value:.4f}"
        reasons.append(f"DSR is {shown}, {demand.dsr} is demanded")
    return Admission(
        reasons=tuple(reasons),
        trials=count,
        days=found.count,
        psr=psr,
        needed=needed,
        dsr=dsr,
        track_record=record,
    )
