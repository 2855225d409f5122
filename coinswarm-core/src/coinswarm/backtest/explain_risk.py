"""Sizing and the gate's verdict taken apart, from what the desk saw: every number that decided (S17, S19).

The arithmetic is that of ``risk/sizing.py`` and ``risk/gate.py``, written out step by step so that each step
can be shown; tests hold the outcome equal to theirs at every decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from coinswarm.domain.order import Refusal
from coinswarm.risk.sizing import Costing
from coinswarm.simulator.money import Scale

if TYPE_CHECKING:
    from coinswarm.backtest.explain_watch import DeskView
    from coinswarm.domain.intent import Intent
    from coinswarm.engine.plan import RunPlan


class Check(NamedTuple):
    """One check of the gate.

    :param refusal: what it refuses with.
    :param value, limit: what was held against what; None where the check has no numbers.
    :param unit: of both: ``money``, ``ticks``, ``lots``, ``count``, ``ns`` or empty.
    :param passes: whether it let the order through.
    """

    refusal: Refusal
    value: int | None
    limit: int | None
    unit: str
    passes: bool


def costing(plan: RunPlan) -> Costing:
    """What a round trip costs in this run."""
    costs = plan.costs
    return Costing(2 * costs.taker_ppm + costs.spread_ppm + 2 * costs.slippage_ppm)


def scale_of(plan: RunPlan, k: int) -> Scale:
    """The arithmetic of instrument ``k``."""
    return Scale.of(plan.bars[k].instrument, plan.max_lots(k))


def sizing_steps(plan: RunPlan, k: int, intent: Intent, view: DeskView) -> dict[str, Any]:
    """How an intent became lots: the method's own numbers, its lots, the caps, and what came out.

    Money in units of 1e-8, distances in ticks, shares in basis points.
    """
    rules, limits, scale = plan.sizing, plan.limits, scale_of(plan, k)
    price, equity, strength = view.close, view.equity, abs(intent.exposure_bp)
    steps: dict[str, Any] = {"method": rules.method, "equity": equity, "price": price, "strength_bp": strength}
    if equity <= 0:
        return {**steps, "lots": 0, "caps": [], "bound_by": "no equity"}
    if rules.method == "lots":
        steps["fixed_lots"] = rules.fixed_lots[k]
        own = rules.fixed_lots[k] * strength // 10_000
        return {**steps, "own_lots": own, "caps": [], "lots": min(own, scale.max_lots), "bound_by": "method"}
    if rules.method == "calibrated":
        if intent.stop_ticks <= 0:
            return {**steps, "lots": 0, "caps": [], "bound_by": "no stop to size by"}
        steps |= kelly_steps(plan, intent, view)
        units = equity * steps["risk_bp"] // 10_000 * strength // 10_000
        loss = costing(plan).loss_ticks(price, intent.stop_ticks)
        steps |= {"risk": units, "stop_ticks": intent.stop_ticks, "loss_ticks": loss}
        own = scale.lots_for(units, loss)
    elif rules.method == "fraction":
        steps |= {"size_bp": intent.size_bp, "notional": equity * intent.size_bp // 10_000 * strength // 10_000}
        own = scale.lots_for(steps["notional"], price)
    else:
        steps |= _published(plan, strength, view.volatility_bp)
        steps["notional"] = equity * steps["share_bp"] // 10_000
        own = scale.lots_for(steps["notional"], price)
    caps: list[dict[str, Any]] = [
        {"cap": "wished size", "limit_bp": intent.size_bp, "lots": _worth(scale, equity, intent.size_bp, price)}
    ]
    if limits.max_position_bp:
        bp = limits.max_position_bp
        caps.append({"cap": "position limit", "limit_bp": bp, "lots": _worth(scale, equity, bp, price)})
    if intent.stop_ticks > 0 and limits.max_loss_per_trade_bp:
        bp, loss = limits.max_loss_per_trade_bp, costing(plan).loss_ticks(price, intent.stop_ticks)
        caps.append({"cap": "loss per trade", "limit_bp": bp, "lots": _worth(scale, equity, bp, loss)})
    tightest = min(caps, key=lambda cap: int(cap["lots"]))
    bound = "method" if own <= tightest["lots"] else str(tightest["cap"])
    return {**steps, "own_lots": own, "caps": caps, "lots": min(own, tightest["lots"]), "bound_by": bound}


def _worth(scale: Scale, equity: int, bp: int, ticks: int) -> int:
    """Lots worth ``bp`` of equity at ``ticks`` each."""
    return scale.lots_for(equity * bp // 10_000, ticks)


def kelly_steps(plan: RunPlan, intent: Intent, view: DeskView) -> dict[str, Any]:
    """Fractional Kelly from the record of those who agree, shrunk toward no edge (``sizing.kelly_risk_bp``)."""
    rules = plan.sizing
    b = costing(plan).payoff_bp(view.close, intent.stop_ticks, intent.take_ticks)
    prior = rules.prior_trades * 10_000
    wins = prior * 10_000 // (10_000 + b)
    losses = prior - wins
    won, lost = wins * b // 10_000, losses
    seen = 0
    for a, (agent_wins, agent_losses, agent_won, agent_lost) in enumerate(view.record):
        if intent.agree >> a & 1:
            wins, losses, won, lost = wins + agent_wins, losses + agent_losses, won + agent_won, lost + agent_lost
            seen += agent_wins + agent_losses
    kelly = 0
    if won > lost and wins > 0:
        kelly = (wins * 10_000 // (wins + losses)) * ((won - lost) * 10_000 // won) // 10_000
    fraction = kelly * rules.kelly_bp // 10_000
    return {
        "payoff_bp": b,
        "prior_trades": rules.prior_trades,
        "record_trades": seen / 10_000,
        "win_bp": wins * 10_000 // (wins + losses) if wins + losses else 0,
        "won_r": won / 100_000_000,
        "lost_r": lost / 100_000_000,
        "kelly_bp": kelly,
        "fraction_bp": rules.kelly_bp,
        "probe_bp": rules.probe_bp,
        "risk_bp": max(fraction, rules.probe_bp),
        "probing": fraction < rules.probe_bp,
    }


def _published(plan: RunPlan, confidence_bp: int, volatility_bp: int) -> dict[str, Any]:
    """The steps of ``sizing.published_share_bp``."""
    rules = plan.sizing
    p = 5_000 + (confidence_bp - 5_000) * 3 // 10
    kelly = max((p * 15_000 // 10_000 - (10_000 - p)) * 10_000 // 15_000, 0)
    share = kelly * rules.kelly_bp // 10_000 * 10_000 // (10_000 + volatility_bp) * rules.risk_scaling_bp // 10_000
    return {
        "win_bp": p,
        "kelly_bp": kelly,
        "fraction_bp": rules.kelly_bp,
        "volatility_bp": volatility_bp,
        "risk_scaling_bp": rules.risk_scaling_bp,
        "share_bp": share,
    }


def gate_checks(  # noqa: PLR0913 - what the gate judges
    plan: RunPlan, k: int, intent: Intent, view: DeskView, lots: int, *, limit: int = 0, trigger: int = 0
) -> list[Check]:
    """The gate's checks in its order, up to the one that refused; off ones are left out.

    :param lots: of the entry; ``limit`` and ``trigger`` its prices in ticks, 0 for none.
    """
    checks: list[Check] = []
    for check in _checks(plan, k, intent, view, lots, (limit, trigger)):
        checks.append(check)
        if not check.passes:
            break
    return checks


def _checks(  # noqa: C901, PLR0912, PLR0913 - one check a line, as in risk/gate.py
    plan: RunPlan, k: int, intent: Intent, view: DeskView, lots: int, prices: tuple[int, int]
) -> list[Check]:
    """All checks that are on; those after a failed one may make no sense."""
    limits, scale, value = plan.limits, scale_of(plan, k), scale_of(plan, k).value
    side = 1 if intent.exposure_bp > 0 else -1
    now, price, equity = view.now, view.close, view.equity
    held = abs(view.lots) if view.lots * side > 0 else 0
    checks = [Check(Refusal.NO_EQUITY, equity, 0, "money", equity > 0)]
    if side < 0:
        checks.append(Check(Refusal.NOT_SHORTABLE, None, None, "", scale.shortable))
    if limits.drawdown_bp:
        floor = view.peak - view.peak * limits.drawdown_bp // 10_000
        checks.append(Check(Refusal.DRAWDOWN, equity, floor, "money", now >= view.breaker_until))
    if limits.stop_guard_count:
        checks.append(Check(Refusal.STOP_GUARD, now, view.guard_until, "ns", now >= view.guard_until))
    if limits.max_trades_per_day:
        most = limits.max_trades_per_day
        checks.append(Check(Refusal.TRADES_PER_DAY, view.trades_today, most, "count", view.trades_today < most))
    if limits.require_stop or plan.sizing.method == "calibrated":
        checks.append(Check(Refusal.NO_STOP, intent.stop_ticks, 1, "ticks", intent.stop_ticks > 0))
    checks.append(Check(Refusal.NO_SIZE, lots, 1, "lots", lots >= 1))
    if lots < 1:
        return checks
    worth = value(lots, price)
    least = value(lots, max(price - intent.stop_ticks, 1) if side > 0 else price)
    checks.append(Check(Refusal.MIN_NOTIONAL, least, scale.min_units, "money", least >= scale.min_units))
    if limits.max_order_units:
        most = limits.max_order_units
        checks.append(Check(Refusal.ORDER_LIMIT, worth, most, "money", worth <= most))
    mine = worth + value(held, price)
    if limits.max_position_bp:
        most = equity * limits.max_position_bp // 10_000
        checks.append(Check(Refusal.POSITION_LIMIT, mine, most, "money", mine <= most))
    if limits.max_exposure_bp:
        most, all_of_it = equity * limits.max_exposure_bp // 10_000, mine + view.others
        checks.append(Check(Refusal.EXPOSURE_LIMIT, all_of_it, most, "money", all_of_it <= most))
    loss = 0
    if intent.stop_ticks > 0 or view.guard:
        away = max((price - view.guard) * side, 0) if view.guard else intent.stop_ticks
        loss = value(lots, costing(plan).loss_ticks(price, away))
        if limits.max_loss_per_trade_bp:
            most = equity * limits.max_loss_per_trade_bp // 10_000
            checks.append(Check(Refusal.LOSS_LIMIT, loss, most, "money", loss <= most))
    if limits.daily_loss_bp:
        most, together = max(view.day_start, 0) * limits.daily_loss_bp // 10_000, view.day_loss + loss
        checks.append(Check(Refusal.DAILY_LOSS, together, most, "money", together <= most))
    if limits.price_band_bp and any(prices):
        width = price * limits.price_band_bp // 10_000
        furthest = max(abs(ticks - price) for ticks in prices if ticks)
        checks.append(Check(Refusal.PRICE_BAND, furthest, width, "ticks", furthest <= width))
    return checks
