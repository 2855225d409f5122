"""State behind the gate: the day, the drawdown breaker, the stop-loss guard."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from coinswarm.clock import DAY_NS

if TYPE_CHECKING:
    from coinswarm.risk.limits import RiskLimits

NEVER = (1 << 63) - 1


class Protections:
    """What has happened so far that may stop entries. Times are when things became known.

    :param cash: equity before the first mark, money units.
    :param bar_ns: bar length; pauses are counted in bars.

    ``peak`` is the equity that the drawdown is measured from; ``breaker_until`` and ``guard_until`` say until when
    entries are stopped (0: they are not).
    """

    def __init__(self, limits: RiskLimits, cash: int, bar_ns: int) -> None:
        self._limits = limits
        self._bar = bar_ns
        self.peak = self._last = self.day_start = self._day_ago = cash
        self._next_day = 0
        self._marks: deque[tuple[int, int]] = deque()
        self._stops: deque[int] = deque(maxlen=max(limits.stop_guard_count, 1))
        self.breaker_until = self.guard_until = 0
        self.trades_today = 0
        self.watching = bool(limits.drawdown_bp or limits.daily_loss_bp or limits.max_trades_per_day)
        """Whether marks matter at all; a session may skip them otherwise."""

    def mark(self, now: int, equity: int) -> None:
        """Take in the equity mark of a closed bar."""
        if now >= self._next_day:
            self.day_start = equity if now % DAY_NS == 0 else self._last
            self._next_day = (now // DAY_NS + 1) * DAY_NS
            self.trades_today = 0
        self._last = equity
        if self._limits.daily_loss_bp:
            marks = self._marks
            marks.append((now, equity))
            while marks[0][0] <= now - DAY_NS:
                self._day_ago = marks.popleft()[1]
        if self.breaker_until and now >= self.breaker_until:
            self.breaker_until, self.peak = 0, equity
        if equity > self.peak:
            self.peak = equity
            return
        floor = self.peak - self.peak * self._limits.drawdown_bp // 10_000
        if self._limits.drawdown_bp and not self.breaker_until and equity < floor:
            pause = self._limits.drawdown_pause_bars
            self.breaker_until = now + pause * self._bar if pause else NEVER

    def stopped(self, now: int) -> None:
        """A protective stop closed a trade."""
        count = self._limits.stop_guard_count
        if count:
            self._stops.append(now)
            window = self._limits.stop_guard_bars * self._bar
            if len(self._stops) == count and self._stops[0] >= now - window:
                self.guard_until = now + self._limits.stop_guard_pause_bars * self._bar

    def entered(self) -> None:
        """An entry was approved."""
        self.trades_today += 1

    def breaker_open(self, now: int) -> bool:
        """Whether the drawdown breaker stops entries."""
        return now < self.breaker_until

    def guard_on(self, now: int) -> bool:
        """Whether the stop-loss guard stops entries."""
        return now < self.guard_until

    def day_loss(self, equity: int) -> int:
        """S17: loss since 00:00 UTC or over the 24 h before the last mark, the larger; at least 0."""
        return max(self.day_start - equity, self._day_ago - equity, 0)
