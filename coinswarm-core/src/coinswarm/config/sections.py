"""The tables of a profile, and their conversion to the integer rules that the engine takes.

Keys are called what the fields of those rules are called; costs and distances are in basis points
(``taker_bps``) where the rules count millionths (``taker_ppm``).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from coinswarm.clock import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from coinswarm.committee.rules import CommitteeRules
from coinswarm.config.fields import (
    FULL_BP,
    BarLength,
    Bp,
    Bps,
    Count,
    Database,
    DriverSettings,
    Money,
    Name,
    Number,
    Section,
    Settings,
    Symbol,
    ppm,
    units,
)
from coinswarm.config.sources import Secret
from coinswarm.domain.order import OrderKind, TimeInForce
from coinswarm.execution.style import OrderStyle
from coinswarm.memory.recall.rules import RecallRules
from coinswarm.risk.limits import MAX_STOP_GUARD, RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs

_COMMITTEE, _SIZING, _LIMITS, _COSTS = CommitteeRules(), SizingRules(), RiskLimits(), Costs()
_RECALL = RecallRules()

_UNITS_NS = {"s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS, "w": 7 * DAY_NS}
_KINDS = {
    "market": OrderKind.MARKET,
    "limit": OrderKind.LIMIT,
    "stop": OrderKind.STOP,
    "stop-limit": OrderKind.STOP_LIMIT,
}


class InstrumentSection(Section):
    """One ``[[instruments]]``: what is traded, and where its bars come from.

    :param file, sample: the bars: a file, or the name of a shipped sample; not both.
    :param tick, lot: smallest steps; inferred from the file's decimals where they are not given.
    :param bar: length of a bar such as ``1h``; inferred where it is not given.
    :param stamp: whether the file stamps a bar with its open or its close.
    :param volume: whether the file's volume is in base or quote.
    :param funding: file of funding payments.
    """

    symbol: Symbol = Field(description="a pair such as BTC/USD")
    file: str | None = Field(default=None, min_length=1)
    sample: str | None = Field(default=None, min_length=1)
    tick: Annotated[Number, Field(gt=0)] | None = None
    lot: Annotated[Number, Field(gt=0)] | None = None
    min_notional: Annotated[Money, Field(ge=0)] = Decimal(0)
    shortable: bool = False
    bar: BarLength | None = None
    stamp: Literal["open", "close"] = "open"
    volume: Literal["base", "quote"] = "base"
    funding: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.file is not None and self.sample is not None:
            message = f"{self.symbol} has both a file and a sample: remove one"
            raise ValueError(message)
        return self

    @property
    def bar_ns(self) -> int | None:
        """``bar`` in nanoseconds; None where it is to be inferred."""
        return None if self.bar is None else int(self.bar[:-1]) * _UNITS_NS[self.bar[-1]]

    @property
    def quote(self) -> str:
        """The asset that it is paid in."""
        return self.symbol.partition("/")[2]


class AgentSection(Section):
    """One ``[[agents]]``: a seat in the committee.

    :param name: the agent, as its plugin declares it.
    :param id: the seat's own name, where one agent sits twice; otherwise the agent's.
    :param weight_bp: its weight; all seats sum to 10,000.
    :param settings: checked by the agent's own settings model.
    """

    name: Name = Field(description="the agent to seat, as its plugin declares it")
    id: Name | None = None
    weight_bp: Bp = Field(description="its weight in basis points; all seats sum to 10000")
    settings: Settings = Field(default_factory=dict)

    @property
    def seat(self) -> str:
        """The seat's name, unique in the committee."""
        return self.id or self.name


class LogSection(Section):
    """Where a swarm's log is read, and how far; it is never written to.

    :param store: the swarm's; None: no log is read.
    :param cluster, shard: which of its logs; empty where it holds one.
    :param position: the last entry that counts; as far as the log goes if absent.
    """

    store: Database | None = None
    cluster: str = ""
    shard: str = ""
    position: Count | None = None

    @model_validator(mode="after")
    def _of_a_store(self) -> Self:
        for key in ("cluster", "shard", "position"):
            if self.store is None and key in self.model_fields_set and getattr(self, key) not in ("", None):
                message = f"{key} is of a store, and none is named: set store, or remove it"
                raise ValueError(message)
        return self

    def address(self) -> str:
        """Where the store is; never print it: it may hold a password. Empty where there is none."""
        if self.store is None or isinstance(self.store, str):
            return self.store or ""
        secret = Secret.parse(self.store)
        assert secret is not None, "checked with the profile"
        return secret.reveal()


class CommitteeSection(LogSection):
    """``[committee]``: how actions become an intent (``CommitteeRules``).

    :param store: of a swarm whose weights are those of the seats, in place of the profile's own.
    :param weigher: the weigher, as its plugin declares it.
    :param settings: checked by the weigher's own settings model.
    """

    weigher: Name = "weighted"
    settings: Settings = Field(default_factory=dict)
    participation_bp: Bp = _COMMITTEE.participation_bp
    enter_bp: Bp = _COMMITTEE.enter_bp
    exit_bp: Bp = _COMMITTEE.exit_bp
    rebalance_bp: Bp = _COMMITTEE.rebalance_bp

    @model_validator(mode="after")
    def _hysteresis(self) -> Self:
        if self.exit_bp > self.enter_bp:
            message = f"exit_bp {self.exit_bp} is above enter_bp {self.enter_bp}: lower exit_bp or raise enter_bp"
            raise ValueError(message)
        return self

    def rules(self) -> CommitteeRules:
        """The rules as the engine takes them."""
        return CommitteeRules(
            participation_bp=self.participation_bp,
            enter_bp=self.enter_bp,
            exit_bp=self.exit_bp,
            rebalance_bp=self.rebalance_bp,
        )


class SizingSection(Section):
    """``[sizing]``: how an intent becomes lots (``SizingRules``).

    :param fixed_lots: for ``method = "lots"``: whole lots by symbol.
    """

    method: Literal["calibrated", "published", "fraction", "lots"] = "calibrated"
    kelly_bp: Bp = _SIZING.kelly_bp
    prior_trades: Annotated[Count, Field(ge=1)] = _SIZING.prior_trades
    probe_bp: Bp = _SIZING.probe_bp
    fixed_lots: dict[str, Annotated[Count, Field(ge=1)]] = Field(default_factory=dict)
    risk_scaling_bp: Annotated[int, Field(ge=0, le=100_000)] = _SIZING.risk_scaling_bp

    @model_validator(mode="after")
    def _lots_belong_to_the_method(self) -> Self:
        if self.fixed_lots and self.method != "lots":
            message = f'fixed_lots counts with method = "lots" only, and method is {self.method!r}: remove one'
            raise ValueError(message)
        return self

    def rules(self, symbols: list[str]) -> SizingRules:
        """The rules as the engine takes them.

        :param symbols: of the instruments, sorted.
        """
        return SizingRules(
            method=self.method,
            kelly_bp=self.kelly_bp,
            prior_trades=self.prior_trades,
            probe_bp=self.probe_bp,
            fixed_lots=tuple(self.fixed_lots[symbol] for symbol in symbols) if self.fixed_lots else (),
            risk_scaling_bp=self.risk_scaling_bp,
        )


class RiskSection(Section):
    """``[risk]``: what the gate holds (``RiskLimits``). A limit of 0 is off.

    :param max_order_notional: value of one order in the settlement currency (``max_order_units``).
    """

    max_position_bp: Bp = _LIMITS.max_position_bp
    max_exposure_bp: Annotated[Bp, Field(ge=1)] = _LIMITS.max_exposure_bp
    max_order_notional: Annotated[Money, Field(ge=0)] = Decimal(0)
    max_loss_per_trade_bp: Bp = _LIMITS.max_loss_per_trade_bp
    daily_loss_bp: Bp = _LIMITS.daily_loss_bp
    max_trades_per_day: Count = _LIMITS.max_trades_per_day
    price_band_bp: Bp = _LIMITS.price_band_bp
    require_stop: bool = _LIMITS.require_stop
    cool_down_bars: Count = _LIMITS.cool_down_bars
    stop_guard_count: Annotated[Count, Field(le=MAX_STOP_GUARD)] = _LIMITS.stop_guard_count
    stop_guard_bars: Count = _LIMITS.stop_guard_bars
    stop_guard_pause_bars: Count = _LIMITS.stop_guard_pause_bars
    drawdown_bp: Bp = _LIMITS.drawdown_bp
    drawdown_pause_bars: Count = _LIMITS.drawdown_pause_bars

    @model_validator(mode="after")
    def _whole_protections(self) -> Self:
        guard = {
            "stop_guard_count": self.stop_guard_count,
            "stop_guard_bars": self.stop_guard_bars,
            "stop_guard_pause_bars": self.stop_guard_pause_bars,
        }
        missing = [name for name, value in guard.items() if value == 0]
        if missing and len(missing) < len(guard):
            message = f"the stop guard is half set: set {' and '.join(missing)} too, or none of {', '.join(guard)}"
            raise ValueError(message)
        if self.drawdown_pause_bars and not self.drawdown_bp:
            message = "drawdown_pause_bars has no breaker to pause: set drawdown_bp"
            raise ValueError(message)
        return self

    def rules(self) -> RiskLimits:
        """The limits as the gate takes them."""
        fields = self.model_dump(exclude={"max_order_notional"})
        return RiskLimits(max_order_units=units(self.max_order_notional), **fields)


class CostsSection(Section):
    """``[costs]``: what trading costs (``Costs``), in basis points to 0.01.

    :param maker_bps, taker_bps: fee of a fill's value.
    :param spread_bps: full bid-ask spread; a taker pays half.
    :param slippage_bps: further adverse move that a taker pays.
    """

    maker_bps: Bps = Decimal(_COSTS.maker_ppm) / 100
    taker_bps: Bps = Decimal(_COSTS.taker_ppm) / 100
    spread_bps: Bps = Decimal(_COSTS.spread_ppm) / 100
    slippage_bps: Bps = Decimal(_COSTS.slippage_ppm) / 100
    participation_bp: Bp = _COSTS.participation_bp
    fee_in_base: bool = _COSTS.fee_in_base

    def rules(self) -> Costs:
        """The costs as the simulator takes them."""
        return Costs(
            maker_ppm=ppm(self.maker_bps),
            taker_ppm=ppm(self.taker_bps),
            spread_ppm=ppm(self.spread_bps),
            slippage_ppm=ppm(self.slippage_bps),
            participation_bp=self.participation_bp,
            fee_in_base=self.fee_in_base,
        )


class OrdersSection(Section):
    """``[orders]``: how entries and brackets are placed (``OrderStyle``).

    :param entry: kind of the entry order.
    :param offset_bps: distance of an entry's limit or trigger from the last close.
    :param limit_offset_bps: for a stop-limit entry: how far beyond its trigger the limit lies.
    """

    entry: Literal["market", "limit", "stop", "stop-limit"] = "market"
    offset_bps: Bps = Decimal(0)
    limit_offset_bps: Bps = Decimal(0)
    tif: Literal["gtc", "ioc", "fok", "day", "gtd"] = "gtc"
    ttl_bars: Count = 0
    trailing: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problem = ""
        if self.tif == "gtd" and not self.ttl_bars:
            problem = 'tif = "gtd" needs ttl_bars: say how many bars an entry works'
        elif self.ttl_bars and self.tif != "gtd":
            problem = f'ttl_bars counts with tif = "gtd" only, and tif is {self.tif!r}: remove one'
        elif self.offset_bps and self.entry == "market":
            problem = 'offset_bps has no effect on entry = "market": remove it, or enter by limit or stop'
        elif self.limit_offset_bps and self.entry != "stop-limit":
            problem = f'limit_offset_bps counts with entry = "stop-limit" only, and entry is {self.entry!r}: remove one'
        if problem:
            raise ValueError(problem)
        return self

    def rules(self) -> OrderStyle:
        """The style as the engine takes it."""
        return OrderStyle(
            entry=_KINDS[self.entry],
            offset_ppm=ppm(self.offset_bps),
            limit_offset_ppm=ppm(self.limit_offset_bps),
            tif=TimeInForce[self.tif.upper()],
            ttl_bars=self.ttl_bars,
            trailing=self.trailing,
        )


class MemorySection(LogSection):
    """``[memory]``: what agents recall from, and by which rules (``RecallRules``). Without it nothing is recalled.

    :param backend: the memory backend, as its plugin declares it.
    :param settings: checked by the backend's own settings model (secrets by reference).
    :param neighbours: episodes recalled at most.
    :param embargo_bars: bars that an outcome must have been known.
    :param bandwidth: cosine distance at which a neighbour counts half.
    :param half_life_days: age at which it counts half.
    :param other_regime_bp: what one of another regime counts.
    :param prior_neighbours: weight of the base rate.
    :param least_sample: effective neighbours below which recall abstains.
    :param store: of a swarm whose episodes are there from the beginning.
    """

    backend: Name = "local"
    settings: DriverSettings = Field(default_factory=dict)
    neighbours: Annotated[Count, Field(ge=5, le=1_000)] = _RECALL.neighbours
    embargo_bars: Annotated[Count, Field(ge=1)] = 1
    bandwidth: Annotated[Number, Field(gt=0, le=2)] = Decimal("0.1")
    half_life_days: Annotated[Number, Field(gt=0, le=100_000)] = Decimal(365)
    other_regime_bp: Bp = 5_000
    prior_neighbours: Annotated[Number, Field(ge=0, le=10_000)] = Decimal(10)
    least_sample: Annotated[Number, Field(ge=5, le=1_000)] = Decimal(5)

    def rules(self, bar_ns: int) -> RecallRules:
        """The rules as recall takes them.

        :param bar_ns: length of a bar.
        """
        return RecallRules(
            neighbours=self.neighbours,
            embargo_ns=self.embargo_bars * bar_ns,
            bandwidth=float(self.bandwidth),
            half_life_ns=int(self.half_life_days * DAY_NS),
            other_regime=self.other_regime_bp / FULL_BP,
            prior=float(self.prior_neighbours),
            least_sample=float(self.least_sample),
        )


class DriverSection(Section):
    """One ``[drivers.KIND]``: which driver, and its settings (secrets by reference)."""

    name: Name = Field(description="the driver's name")
    settings: DriverSettings = Field(default_factory=dict)


class DriversSection(Section):
    """``[drivers]``: the one driver of each kind; embedded ones where nothing is named."""

    broker: DriverSection | None = None
    bus: DriverSection | None = None
    timeseries: DriverSection | None = None
    documents: DriverSection | None = None
    embedder: DriverSection | None = None
