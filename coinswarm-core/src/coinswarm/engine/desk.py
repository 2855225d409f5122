"""The desk: turns each instrument's intent into orders, through sizing and the gate (D1-D6).

One object per run, shared by the step path, paper and live: it talks to an exchange through
``submit`` and ``cancel`` and hears of fills as the exchange's listener.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.domain.order import EndReason, Order, OrderFlags, OrderKind, Refusal, RiskApproved
from coinswarm.engine.closing import traded
from coinswarm.engine.learning import learners, tell
from coinswarm.engine.result import Faults
from coinswarm.execution.entry import entry_order
from coinswarm.execution.ledger import Ledger
from coinswarm.risk.gate import Circumstances, RiskGate
from coinswarm.risk.protections import Protections
from coinswarm.risk.sizing import Costing, Record, Sizer
from coinswarm.simulator.money import Scale
from coinswarm.simulator.reference import SimulatedExchange

if TYPE_CHECKING:
    from coinswarm.domain.intent import Intent
    from coinswarm.domain.outcome import TradeOutcome
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.remembering import Remembering
    from coinswarm.simulator.book import Holding, WorkingOrder

FULL_BP = 10_000
REDUCE, MARKET = OrderFlags.REDUCE_ONLY, OrderKind.MARKET
APPROVED, WORKING = Refusal.APPROVED, EndReason.WORKING


class Want:
    """What the desk wants of one instrument, and the side it may not re-enter (D5).

    ``intent`` is the one that it last acted on; None while the next look may come to something else.
    """

    __slots__ = ("blocked", "blocked_until", "entry", "exit", "intent", "said", "side", "strength")

    def __init__(self) -> None:
        self.side = self.strength = 0
        self.blocked = self.blocked_until = 0
        self.said = False
        self.intent: Intent | None = None
        self.entry: WorkingOrder | None = None
        self.exit: WorkingOrder | None = None


class Desk:
    """Orders of one run on one exchange.

    ``decisions`` collects a row whenever an intent changed or something was refused
    (``engine.result.DECISION_FIELDS``).

    :param memory: where outcomes are committed before sizing and agents learn from them; None: they are told at once.
    """

    def __init__(self, plan: RunPlan, memory: Remembering | None = None) -> None:
        self._plan = plan
        self._memory = memory
        scales = [Scale.of(bars.instrument, plan.max_lots(k)) for k, bars in enumerate(plan.bars)]
        self.exchange = SimulatedExchange(scales, plan.costs, plan.cash, self, trailing=plan.style.trailing)
        self.protections = Protections(plan.limits, plan.cash, plan.bar_ns)
        self.record = Record(plan.weights)
        costs = plan.costs
        costing = Costing(2 * costs.taker_ppm + costs.spread_ppm + 2 * costs.slippage_ppm)
        self._sizer = Sizer(plan.sizing, plan.limits, costing, self.record)
        needs_stop = plan.limits.require_stop or plan.sizing.method == "calibrated"
        self._gate = RiskGate(plan.limits, self.protections, costing, needs_stop=needs_stop)
        self.ledger = Ledger([b.instrument.symbol for b in plan.bars], scales, plan.bar_ns, costing, self._closed)
        self.filled = self.ledger.filled
        self.wants = [Want() for _ in plan.bars]
        self.decisions: list[tuple[int, ...]] = []
        self.learn_faults: dict[str, Faults] = {}
        self._learners = learners(plan)

    # -- what the exchange tells

    def flat(self, k: int, order: WorkingOrder, bar_ns: int, residue: int) -> None:
        """A position was closed: by its bracket, its side is closed too (D5)."""
        self.ledger.flat(k, order, bar_ns, residue)
        want = self.wants[k]
        if order.protective and want.side == -order.side:
            want.blocked = want.side
            want.blocked_until = bar_ns + (1 + self._plan.limits.cool_down_bars) * self._plan.bar_ns
            want.said = False
            want.intent = None

    def funded(self, k: int, paid: int) -> None:
        """Funding was paid."""
        self.ledger.funded(k, paid)

    def _closed(self, k: int, outcome: TradeOutcome, order: WorkingOrder) -> None:  # noqa: ARG002 - the ledger's form
        if self._memory is None:
            self._learn(k, outcome)
        else:
            self._memory.closed(k, traded(self.exchange, k, self._plan.bars[k].instrument, outcome))
        if outcome.stopped:
            self.protections.stopped(outcome.known_ns)

    def settle(self, now: int) -> None:
        """With a memory: learn from the outcomes that are committed by ``now``, earlier runs' first."""
        if self._memory is not None:
            for seat, gained, risked in self._memory.known(now):
                self.record.credit(seat, FULL_BP, gained, risked)
            for one in self._memory.settle(now):
                self._learn(one.instrument, one.outcome, one.refused, one.counted)

    def _learn(self, k: int, outcome: TradeOutcome, refused: int = 0, counted: int = 0) -> None:
        """Sizing and agents take in an outcome (S5, S19).

        :param refused: seats (a bit each) whose episode was refused: they learn nothing.
        :param counted: seats whose sizing has counted it already.
        """
        self.record.add(outcome, refused | counted)
        learning = [seat for seat in self._learners if not refused >> seat & 1]
        if learning:
            for name, words in tell(self._plan, learning, k, outcome):
                before = self.learn_faults.get(name, Faults())
                self.learn_faults[name] = Faults(before.times + 1, before.first or words)

    # -- what the committee wants

    def decide(self, k: int, now: int, equity: int, intent: Intent, volatility_bp: int) -> None:
        """Act on the intent of instrument ``k`` as of ``now``, with the account worth ``equity``.

        Where ``wants[k].intent`` is that very intent there is nothing to do (D1).
        """
        x = intent.exposure_bp
        side = (x > 0) - (x < 0)
        want = self.wants[k]
        if want.blocked and not self._unblocked(k, now, side, intent):
            return
        want.intent = intent
        strength = abs(x)
        resize = side == want.side
        if resize:
            change = abs(strength - want.strength)
            if side == 0 or not self._plan.committee.rebalance_bp or change <= self._plan.committee.rebalance_bp:
                return  # D1
        want.side, want.strength = side, strength
        self._withdraw(want.entry, now)
        holding = self.exchange.holdings[k]
        held = abs(holding.lots) if holding.lots * side > 0 else 0
        if resize or held or _only_reduces(want.exit, holding):  # D3, D4, D2: what only reduces is no exit
            self._withdraw(want.exit, now)
        seq = -1
        if self.ledger.is_open(k) and holding.lots * side <= 0 and holding.lots and not _working(want.exit):  # D2
            seq = self._reduce(k, now, holding, abs(holding.lots))
        refusal, lots = APPROVED, 0
        if side:
            target = self._sizer.lots(k, holding.scale, holding.close, equity, intent, volatility_bp)
            lots = target - held
            if held and lots < 0 and self.ledger.is_open(k):  # D3, D4: down
                lots = -lots
                if holding.scale.value(lots, holding.close) >= holding.scale.min_units:
                    seq = self._reduce(k, now, holding, lots)
            else:
                refusal, entered = self._enter(k, now, equity, intent, side, lots, held)
                seq = entered if refusal is APPROVED else seq
        self._note(k, now, intent, refusal, seq, lots)

    def _unblocked(self, k: int, now: int, side: int, intent: Intent) -> bool:
        """D5: whether the side that a protective exit closed is open again."""
        want = self.wants[k]
        if side != want.blocked:
            want.blocked = 0
        elif self._plan.limits.cool_down_bars and now >= want.blocked_until:
            want.blocked = want.side = 0
        else:
            if not want.said:
                want.said = True
                self._note(k, now, intent, Refusal.COOL_DOWN, -1, 0)
            return False
        return True

    def _enter(  # noqa: PLR0913 - what an entry depends on
        self, k: int, now: int, equity: int, intent: Intent, side: int, lots: int, held: int
    ) -> tuple[Refusal, int]:
        """D6: build the entry and ask the gate; returns its verdict and the order's number."""
        holding = self.exchange.holdings[k]
        price = holding.close
        order = entry_order(
            self._plan.style, k, now, self._plan.bar_ns,
            side=side, lots=lots, close=price, stop_ticks=intent.stop_ticks, take_ticks=intent.take_ticks,
        )  # fmt: skip
        scale, others = holding.scale, self._others(k) if self._gate.counts_others else 0
        guard = guard_of(holding, side)
        verdict = self._gate.admit(
            order,
            Circumstances(now, scale, scale.shortable, scale.min_units, price, equity, held, others, guard),
        )
        if not isinstance(verdict, RiskApproved):
            return verdict.reason, -1
        self.wants[k].entry = entry = self.exchange.submit(verdict, intent.agree)
        return APPROVED, entry.seq

    def _reduce(self, k: int, now: int, holding: Holding, lots: int) -> int:
        """A reduce-only market order; returns its number."""
        order = Order(k, now, -1 if holding.lots > 0 else 1, MARKET, lots, flags=REDUCE)
        self.wants[k].exit = working = self.exchange.submit(self._gate.reduce(order))
        return working.seq

    def _others(self, k: int) -> int:
        """Worth of all other positions and of what their entries may still add."""
        total = 0
        for j, holding in enumerate(self.exchange.holdings):
            if j != k:
                lots = abs(holding.lots)
                entry = self.wants[j].entry
                if entry is not None and _working(entry):
                    lots += entry.lots - entry.filled
                total += holding.scale.value(lots, holding.close)
        return total

    def _withdraw(self, order: WorkingOrder | None, now: int) -> None:
        if order is not None:
            self.exchange.cancel(order, now)

    def _note(self, k: int, now: int, intent: Intent, refusal: Refusal, seq: int, lots: int) -> None:  # noqa: PLR0913 - a decision's fields
        self.decisions.append((now, k, *intent, refusal, seq, lots))


def guard_of(holding: Holding, side: int) -> int:
    """Trigger of the protective stop that stands for a position of this side, in ticks; 0 for none."""
    return next((order.trigger for order in holding.working if order.is_stop and order.side != side), 0)


def _working(order: WorkingOrder | None) -> bool:
    """Whether an order is there and still works."""
    return order is not None and order.end_reason is WORKING


def _only_reduces(order: WorkingOrder | None, holding: Holding) -> bool:
    """Whether a reduce-only order, filled whole, would leave some of the position (D4)."""
    return order is not None and order.lots - order.filled < abs(holding.lots)
