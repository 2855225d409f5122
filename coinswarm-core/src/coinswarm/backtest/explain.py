"""Why a run did what it did at one bar, as one dictionary: the source of the words and of ``--json``.

Numbers are the run's own integers where something is computed from them (basis points, ticks, lots), and decimal
strings with their unit where people read them (prices, quantities, money).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.backtest.explain_life import order_life, trade_of
from coinswarm.backtest.explain_memory import recalled_at
from coinswarm.backtest.explain_risk import gate_checks, sizing_steps
from coinswarm.backtest.explain_watch import intent_at, watch
from coinswarm.backtest.summary import money
from coinswarm.backtest.words import REFUSAL_WORDS
from coinswarm.canonical import decimal_text
from coinswarm.clock import iso
from coinswarm.domain.action import INVALID_REASON, Side
from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm.domain.order import Refusal
from coinswarm.engine.result import DECISION_FIELDS
from coinswarm.execution.entry import entry_prices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.backtest.explain_watch import DeskView, Heard, Moment, Voices, Watched
    from coinswarm.domain.instrument import Instrument
    from coinswarm.domain.intent import Intent
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult
    from coinswarm.memory.recall.record import RecallRecord

EXPLAIN_SCHEMA = "coinswarm.explain/1"
_KNOWN, _INSTRUMENT, _REFUSAL, _ORDER, _LOTS = (
    DECISION_FIELDS.index(name) for name in ("known_ns", "instrument", "refusal", "order", "lots")
)


def explain_moments(
    plan: RunPlan, moments: Sequence[Moment], recall: RecallRecord | None = None
) -> tuple[RunResult, list[dict[str, Any]]]:
    """Execute ``plan`` again, and explain what happened at each of ``moments``.

    :param plan: fresh from assembly.
    :param moments: instrument and row of its bar.
    :param recall: what the run recalled; None: it had no memory.
    :returns: the new record, whose order hash the caller compares, and one explanation per moment.
    """
    watched = watch(plan, moments, recall)
    return watched.result, [_explain(plan, watched, k, row, recall) for k, row in moments]


def _explain(plan: RunPlan, watched: Watched, k: int, row: int, recall: RecallRecord | None) -> dict[str, Any]:
    """One moment."""
    voices, view, result = watched.voices[k], watched.views[k, row], watched.result
    assert voices is not None, "a watched instrument was heard"
    instrument, bars = plan.bars[k].instrument, plan.bars[k]
    before, intent = intent_at(voices.intents, row - 1), intent_at(voices.intents, row)
    exposure = _weighed(plan, voices, row)
    return {
        "schema": EXPLAIN_SCHEMA,
        "instrument": instrument.symbol,
        "time": iso(view.now),
        "known_ns": view.now,
        "decision": _decision_number(result, k, view.now),
        "bar": {
            "opened": iso(int(bars.open_ns[row])),
            **{name: float(getattr(bars, name)[row]) for name in ("open", "high", "low", "close", "volume")},
        },
        "agents": [
            _agent(plan, voices, k, a, row, wanted=bool(intent.agree >> a & 1))
            | {"memory": recalled_at(plan, recall, k, a, view.now, int(voices.direction[a, row]))}
            for a in range(len(plan.seats))
        ],
        "weigher": {
            "name": type(plan.weigher).__name__,
            "exposure_bp": exposure.exposure_bp,
            "participation_bp": exposure.participation_bp,
        },
        "intent": _intent(plan, instrument, before, intent, exposure),
        "account": {
            "equity": money(view.equity),
            "cash": money(view.cash),
            "close": decimal_text(instrument.price(view.close)),
            "position": decimal_text(instrument.quantity(view.lots)),
            "elsewhere": money(view.others),
            "currency": instrument.quote,
        },
        **_desk(plan, result, k, intent, view),
    }


def _decision_number(result: RunResult, k: int, now: int) -> int | None:
    """The row of ``decisions`` that was noted then, if any."""
    rows = np.flatnonzero((result.decisions[:, _KNOWN] == now) & (result.decisions[:, _INSTRUMENT] == k))
    return int(rows[0]) if len(rows) else None


# -- who said what


def _agent(plan: RunPlan, voices: Voices, k: int, a: int, row: int, *, wanted: bool) -> dict[str, Any]:  # noqa: PLR0913 - where to look
    """One seat: what it answered, whether it counts, and the target that stands."""
    seat, heard, instrument = plan.seats[a], voices.heard[a], plan.bars[k].instrument
    said, present = heard.said, bool(voices.confidence[a, row] >= 0)
    silent = said.confidence_bp[row] < 0
    since = _since(heard, row)
    code = int(said.reason[row])
    return {
        "seat": seat.name,
        "weight_bp": seat.weight_bp,
        "says": "ABSTAIN" if silent else Side(int(said.direction[row])).name,
        "confidence_bp": None if silent else int(said.confidence_bp[row]),
        "size_bp": int(said.size_bp[row]),
        "stop": decimal_text(instrument.price(int(said.stop_ticks[row]))),
        "take": decimal_text(instrument.price(int(said.take_ticks[row]))),
        "reason": _reason(seat.reasons, code),
        "counts": present,
        "abstains": "" if present else _absence(plan, heard, k, a, row),
        "stance": {
            "direction": int(voices.direction[a, row]),
            "confidence_bp": _standing(voices, heard, a, row),
            "since": iso(int(plan.bars[k].open_ns[since]) + plan.bar_ns) if since >= 0 else None,
            "size_bp": int(said.size_bp[since]) if since >= 0 else 0,
            "stop_ticks": int(said.stop_ticks[since]) if since >= 0 else 0,
            "take_ticks": int(said.take_ticks[since]) if since >= 0 else 0,
        },
        "agrees": wanted,
    }


def _reason(words: Sequence[str], code: int) -> str:
    """A reason code in words."""
    if code == INVALID_REASON:
        return "its numbers were not valid"
    return words[code] if code < len(words) else (f"reason {code}" if words or code else "")


def _since(heard: Heard, row: int) -> int:
    """The row at which the target in force was set; -1: none is."""
    spoke = (heard.counted.confidence_bp[: row + 1] >= 0) & (heard.said.direction[: row + 1] != Side.HOLD)
    dropped = heard.warming[: row + 1]
    last = np.flatnonzero(spoke | dropped)
    return int(last[-1]) if len(last) and spoke[last[-1]] else -1


def _standing(voices: Voices, heard: Heard, a: int, row: int) -> int:
    """Confidence of the target in force, also while its agent abstains."""
    since = _since(heard, row)
    return int(heard.played.confidence_bp[since]) if since >= 0 and voices.direction[a, row] else 0


def _absence(plan: RunPlan, heard: Heard, k: int, a: int, row: int) -> str:
    """Why a seat does not take part."""
    if heard.warming[row]:
        starts = plan.bars[k].starts(plan.hole_bars)
        start = int(starts[np.searchsorted(starts, row, side="right") - 1])
        place = f"bar {row - start + 1} of {plan.seats[a].warm_up}"
        if start == 0:
            return f"warming up: {place}"
        return f"warming up again after a hole in the data that ended {iso(int(plan.bars[k].open_ns[start]))}: {place}"
    if row in heard.raised:
        return f"it raised {heard.raised[row]}"
    if heard.said.reason[row] == INVALID_REASON:
        return "its numbers were not valid"
    return "its own choice"


def _weighed(plan: RunPlan, voices: Voices, row: int) -> Exposure:
    """What the weigher answers at one bar."""
    if voices.weighed is None:
        sure = voices.confidence[:, row].tolist()
        stances = ActionRow(voices.direction[:, row].tolist(), [max(c, 0) for c in sure], [c >= 0 for c in sure])
        return plan.weigher.step(stances, plan.weights)
    return Exposure(*voices.weighed[row].tolist())


# -- what the committee made of it


def _intent(
    plan: RunPlan, instrument: Instrument, before: Intent, intent: Intent, exposure: Exposure
) -> dict[str, Any]:
    """The intent, and the rule that made it (S3)."""
    rules = plan.committee
    return {
        "before_bp": before.exposure_bp,
        "exposure_bp": intent.exposure_bp,
        "rule": _rule(plan, before.exposure_bp, intent.exposure_bp, exposure),
        "participation_bp": rules.participation_bp,
        "enter_bp": rules.enter_bp,
        "exit_bp": rules.exit_bp,
        "rebalance_bp": rules.rebalance_bp,
        "size_bp": intent.size_bp,
        "stop": decimal_text(instrument.price(intent.stop_ticks)),
        "take": decimal_text(instrument.price(intent.take_ticks)),
        "agree": [seat.name for a, seat in enumerate(plan.seats) if intent.agree >> a & 1],
    }


def _rule(plan: RunPlan, before: int, after: int, exposure: Exposure) -> str:  # noqa: PLR0911 - one return per rule
    """Which rule of S3 made ``after`` of ``before`` and what the weigher answered."""
    rules, (e, participation) = plan.committee, exposure
    if participation < rules.participation_bp or participation == 0:
        if after == before:
            return "no quorum: stands"
        return "no quorum: shrinks" if after else "no quorum: shrinks to flat"
    if e == 0:
        return "nobody wants a position"
    same = before * e > 0
    strong = abs(e) >= rules.enter_bp or (same and abs(e) >= rules.exit_bp)
    if after == 0:
        if strong:
            return "nobody agrees"
        return "below the exit level" if same else "below the entry level"
    if same:
        return "stays on its side"
    return "turns" if before else "enters"


# -- what the desk did


def _desk(plan: RunPlan, result: RunResult, k: int, intent: Intent, view: DeskView) -> dict[str, Any]:
    """Outcome, sizing, verdict, orders and the trade that came of them."""
    told: dict[str, Any] = {"desk": _outcome(plan, intent, view), "sizing": None, "gate": None}
    side = (intent.exposure_bp > 0) - (intent.exposure_bp < 0)
    refusal = Refusal(view.row[_REFUSAL]) if view.row else None
    if view.asked and view.row and side and refusal is not Refusal.COOL_DOWN:
        told["sizing"] = sizing_steps(plan, k, intent, view)
        held = abs(view.lots) if view.lots * side > 0 else 0
        told["sizing"] |= {"held_lots": held, "difference_lots": told["sizing"]["lots"] - held}
        if told["sizing"]["difference_lots"] >= 0 or refusal is not Refusal.APPROVED:  # a reduction passes no gate
            told["gate"] = _gate(plan, k, intent, view)
    numbers = sorted({*view.sent})
    told["orders"] = [order_life(result, number) for number in numbers]
    told["withdrawn"] = list(view.withdrawn)
    told["trade"] = next((found for n in numbers if (found := trade_of(plan, result, n)) is not None), None)
    return told


def _gate(plan: RunPlan, k: int, intent: Intent, view: DeskView) -> dict[str, Any]:
    """The verdict, with every check up to it."""
    assert view.row is not None, "the gate's verdict is noted"
    refusal, lots = Refusal(view.row[_REFUSAL]), view.row[_LOTS]
    limit, trigger = entry_prices(plan.style, 1 if intent.exposure_bp > 0 else -1, view.close)
    checks = gate_checks(plan, k, intent, view, lots, limit=limit, trigger=trigger)
    return {
        "verdict": refusal.name,
        "words": REFUSAL_WORDS[refusal],
        "lots": lots,
        "breaker_until": view.breaker_until,
        "peak": view.peak,
        "checks": [{**check._asdict(), "refusal": check.refusal.name} for check in checks],
    }


def _outcome(plan: RunPlan, intent: Intent, view: DeskView) -> str:  # noqa: PLR0911 - one return per outcome
    """What the desk did about the intent, as a word; ``explain_text`` has the sentences."""
    side = (intent.exposure_bp > 0) - (intent.exposure_bp < 0)
    if view.row is None:
        if view.now < plan.start_ns:
            return "before the start"
        if view.asked and view.blocked and side == view.blocked:
            return "side closed"
        return "unchanged" if side else "stays flat"
    refusal, sent = Refusal(view.row[_REFUSAL]), view.row[_ORDER]
    if refusal is Refusal.COOL_DOWN:
        return "side closed"
    if refusal is not Refusal.APPROVED:
        return "leaves, refused" if sent >= 0 else "refused"
    if side == 0:
        return "leaves" if sent >= 0 else "nothing to leave"
    if sent < 0:
        return "too small to change"
    if view.lots * side > 0:
        return "resizes"
    return "turns" if view.lots else "enters"
