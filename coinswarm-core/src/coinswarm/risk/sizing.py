"""From an intent to lots (S19): fractional Kelly from the agents' record, or a simpler rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.intent import Intent
    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.risk.limits import RiskLimits, SizingRules

R_CAP_BP = 200_000
"""One trade counts for at most 20 times what was at risk."""


class Measure(Protocol):
    """What sizing needs to know of an instrument."""

    @property
    def max_lots(self) -> int:
        """No order is larger."""

    def value(self, lots: int, ticks: int) -> int:
        """Worth in money units, rounded down."""

    def lots_for(self, units: int, ticks: int) -> int:
        """The most lots worth at most ``units``."""


class Record:
    """The closed trades of each agent, in basis points of trades and of R (pnl / what a stop-out costs)."""

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = tuple(weights)
        seats = len(self._weights)
        self.wins, self.losses = [0] * seats, [0] * seats
        self.won, self.lost = [0] * seats, [0] * seats

    def add(self, outcome: TradeOutcome, without: int = 0) -> None:
        """S5: credit a closed trade to those who agreed at entry, by their share.

        :param without: seats (a bit each) that are not credited.
        """
        if outcome.risk <= 0:
            return
        agreed = [a for a in range(len(self._weights)) if outcome.agree >> a & 1]
        total = sum(self._weights[a] for a in agreed)
        for a in agreed:
            if not without >> a & 1:
                self.credit(a, self._weights[a] * 10_000 // total, outcome.pnl, outcome.risk)

    def credit(self, a: int, share_bp: int, gained: int, risked: int) -> None:
        """Credit one agent with a share of a trade.

        :param gained, risked: what it earned and what was at risk, in one unit; nothing at risk says nothing.
        """
        if risked <= 0:
            return
        r_bp = min(abs(gained) * 10_000 // risked, R_CAP_BP)
        if gained > 0:
            self.wins[a] += share_bp
            self.won[a] += share_bp * r_bp // 10_000
        else:
            self.losses[a] += share_bp
            self.lost[a] += share_bp * r_bp // 10_000


class Costing(NamedTuple):
    """What a round trip costs, for sizing and limits.

    :param round_trip_ppm: both legs' taker fees, spread and slippage, in millionths of the price.
    """

    round_trip_ppm: int

    def cost_ticks(self, price: int) -> int:
        """What a lot's round trip costs at a price, in ticks, rounded up."""
        return -(-price * self.round_trip_ppm // 1_000_000)

    def loss_ticks(self, price: int, stop: int) -> int:
        """S17, and 1 R: loss per lot at the stop, costs of both legs included, in ticks."""
        return stop + self.cost_ticks(price)

    def payoff_bp(self, price: int, stop: int, take: int) -> int:
        """What a bracket pays for each unit that it can lose, after costs; 1 without a target.

        A target that does not earn its costs pays next to nothing: a hundredth.
        """
        if take <= 0:
            return 10_000
        gain = take - self.cost_ticks(price)
        return min(max(gain * 10_000 // self.loss_ticks(price, stop), 100), 1_000_000)


def kelly_risk_bp(rules: SizingRules, record: Record, agree: int, b: int) -> int:
    """Equity to put at risk at the stop, in basis points.

    Kelly's fraction for wins of b and losses of 1 is ``p - (1 - p) / b`` (Kelly 1956); with p and b
    measured from sums it is ``p (1 - lost / won)``. Both are shrunk toward no edge by
    ``prior_trades`` trades at p0 = 1 / (1 + b). At least ``probe_bp``.

    :param agree: whose records count, a bit each; :param b: the bracket's own payoff, in basis points.
    """
    prior = rules.prior_trades * 10_000
    wins = prior * 10_000 // (10_000 + b)
    losses = prior - wins
    won, lost = wins * b // 10_000, losses
    for a in range(len(record.wins)):
        if agree >> a & 1:
            wins += record.wins[a]
            losses += record.losses[a]
            won += record.won[a]
            lost += record.lost[a]
    kelly = 0
    if won > lost and wins > 0:
        kelly = (wins * 10_000 // (wins + losses)) * ((won - lost) * 10_000 // won) // 10_000
    return max(kelly * rules.kelly_bp // 10_000, rules.probe_bp)


def published_share_bp(rules: SizingRules, confidence_bp: int, volatility_bp: int) -> int:
    """The implementation plan's share of equity, in basis points.

    Win probability 0.5 + 0.3 (confidence - 0.5), payoff 1.5, fractional Kelly, divided by
    1 + annualised volatility, times ``risk_scaling``.
    """
    p = 5_000 + (confidence_bp - 5_000) * 3 // 10
    kelly = max((p * 15_000 // 10_000 - (10_000 - p)) * 10_000 // 15_000, 0)
    share = kelly * rules.kelly_bp // 10_000 * 10_000 // (10_000 + volatility_bp)
    return share * rules.risk_scaling_bp // 10_000


class Sizer:
    """Sizes entries of one run.

    :param record: the agents' closed trades; read at every sizing.
    """

    def __init__(self, rules: SizingRules, limits: RiskLimits, costing: Costing, record: Record) -> None:
        self._rules = rules
        self._limits = limits
        self._costing = costing
        self._record = record

    def lots(self, k: int, measure: Measure, price: int, equity: int, intent: Intent, volatility_bp: int) -> int:  # noqa: PLR0913 - what a size depends on
        """Lots for ``intent`` at ``price``; 0 when it comes to less than one, or nothing is left.

        All methods but ``lots`` are capped by the wished size, ``max_position_bp`` and
        ``max_loss_per_trade_bp``.
        """
        rules, strength = self._rules, abs(intent.exposure_bp)
        if equity <= 0:
            return 0
        if rules.method == "lots":
            return min(rules.fixed_lots[k] * strength // 10_000, measure.max_lots)
        cap = self._cap(measure, price, equity, intent)
        if rules.method == "fraction":
            units = equity * intent.size_bp // 10_000 * strength // 10_000
            return min(measure.lots_for(units, price), cap)
        if rules.method == "calibrated":
            if intent.stop_ticks <= 0:
                return 0
            b = self._costing.payoff_bp(price, intent.stop_ticks, intent.take_ticks)
            risk = equity * kelly_risk_bp(rules, self._record, intent.agree, b) // 10_000 * strength // 10_000
            return min(measure.lots_for(risk, self._costing.loss_ticks(price, intent.stop_ticks)), cap)
        units = equity * published_share_bp(rules, strength, volatility_bp) // 10_000
        return min(measure.lots_for(units, price), cap)

    def _cap(self, measure: Measure, price: int, equity: int, intent: Intent) -> int:
        limits = self._limits
        size_bp = min(intent.size_bp, limits.max_position_bp) if limits.max_position_bp else intent.size_bp
        cap = measure.lots_for(equity * size_bp // 10_000, price)
        if intent.stop_ticks > 0 and limits.max_loss_per_trade_bp:
            loss = self._costing.loss_ticks(price, intent.stop_ticks)
            cap = min(cap, measure.lots_for(equity * limits.max_loss_per_trade_bp // 10_000, loss))
        return cap
