"""What a reader of a run must know beside its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.clock import DAY_NS
from coinswarm.feeds.decimals import vast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.domain.market import Bars
    from coinswarm.runtime.assembly import Assembled


def notes_of(ready: Assembled) -> list[str]:
    """What a reader must know beside the numbers."""
    notes = [f"{seat} is not from a plugin: it has no version, and no replay" for seat in ready.unplugged]
    notes += ready.uncertified()
    notes += [_accepted(one) for one in ready.accepted()]
    for one in ready.loaded:
        instrument, report = one.bars.instrument, one.report
        if report.named:
            notes.append(
                f"{instrument.symbol}: its bars come from a file that names {report.named}; is it the right one?"
            )
        if report.off_tick and not report.tick_inferred:
            prices = f"{report.off_tick:,} of {4 * report.rows:,} prices"
            notes.append(f"{instrument.symbol}: {prices} of the file were rounded to the tick {instrument.tick}")
        if told := vast(one.bars):
            notes.append(f'{instrument.symbol}: {told}, and its instrument wants volume = "quote"')
    for bars in ready.plan.bars:
        notes += [
            f"{seat.name} never decided on {bars.instrument.symbol}: its warm-up takes {seat.warm_up:,} bars, "
            f"and there are {len(bars):,}"
            for seat in ready.plan.seats
            if seat.warm_up > 1 and bars.warming(ready.plan.hole_bars, seat.warm_up).all()
        ]
        notes += _unfunded(ready, bars)
    notes += [ready.weighed.words()] if ready.weighed else []
    notes += _memory_notes(ready)
    costs = ready.plan.costs
    if costs.maker_ppm > costs.taker_ppm:
        notes.append(
            f"the maker fee of {costs.maker_ppm / 100:g} bps is above the taker fee of {costs.taker_ppm / 100:g} bps: "
            "venues charge makers less; were the two swapped?"
        )
    if any(bars.instrument.shortable for bars in ready.plan.bars):
        notes.append("this run may sell short: not tradable live while live is spot")
    return notes


def _unfunded(ready: Assembled, bars: Bars) -> list[str]:
    """Where a funding file has nothing for more than a day of what is traded, at its ends or between payments."""
    symbol, plan = bars.instrument.symbol, ready.plan
    if (paid := plan.funding.get(symbol)) is None:
        return []
    begin, end = max(int(bars.open_ns[0]), plan.start_ns), int(bars.open_ns[-1]) + plan.bar_ns
    steps = np.diff([begin, *np.clip(paid.times_ns, begin, end).tolist(), end])
    if not (empty := int(steps[steps > DAY_NS].sum())):
        return []
    days, of = (f"{ns / DAY_NS:,.1f}" for ns in (empty, end - begin))
    return [f"{symbol}: for {days} of the {of} days that it is traded its funding file has no payment"]


def _memory_notes(ready: Assembled) -> list[str]:
    """Where memory was wanted and not used."""
    profile, recalling = ready.profile, [seat.name for seat in ready.plan.seats if seat.space]
    if profile.memory is None:
        notes = [f"{seat} would recall, but the profile has no [memory]: it decides without" for seat in recalling]
        idle = profile.swarm is not None and profile.mode == "paper"
        return [*notes, "the profile has a [swarm], but no [memory]: nothing is proposed to it"] if idle else notes
    return [] if recalling else ["the profile has a [memory], but no agent recalls anything with its settings"]


def _accepted(one: Mapping[str, Any]) -> str:
    """An operator's word that less evidence will do, as reports show it."""
    said = (
        f"less evidence of {one['agent']} is accepted up to {one['cap_quote']:,.2f} until {one['expires'][:10]}, "
        f"because {one['reason']}"
    )
    return said if one["holds"] else f"{said}; that does not hold: {one['why']}"
