"""An explanation in words: plain text within a width, the same in a pipe."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from coinswarm.backtest.words import REFUSAL_WORDS
from coinswarm.clock import DAY_NS, iso
from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import Refusal
from coinswarm.risk.protections import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping

FULL_BP = 10_000
PPM_PERCENT = 10_000
HEAD = 12
"""Width of a heading at the left."""

RULES = {
    "no quorum: stands": "not enough take part ({participation_bp} of the weight must): the previous intent stands",
    "no quorum: shrinks": "not enough take part ({participation_bp} of the weight must): the intent may only shrink",
    "no quorum: shrinks to flat": "not enough take part ({participation_bp} of the weight must), and what is left is "
    "below the exit level of {exit_bp}: flat",
    "nobody wants a position": "the stances come to nothing: flat",
    "nobody agrees": "no agent that takes part agrees with the side: flat",
    "below the exit level": "weaker than the exit level of {exit_bp}: the side is left",
    "below the entry level": "weaker than the entry level of {enter_bp}: stays out",
    "stays on its side": "strong enough to stay (exit level {exit_bp})",
    "enters": "strong enough to enter (entry level {enter_bp})",
    "turns": "strong enough to turn to the other side (entry level {enter_bp})",
}
"""Sentences for ``intent["rule"]``."""

OUTCOMES = {
    "before the start": "nothing: the profile trades from a later time on, this was warm-up",
    "side closed": "nothing: a protective exit closed this side, and the intent has not left it since, nor is a "
    "cool-down over",
    "unchanged": "nothing: the intent keeps its side, and is not resized",
    "stays flat": "nothing: the intent is flat as before",
    "refused": "no order: the risk gate refused it",
    "leaves, refused": "left the position; no order for the other side: the risk gate refused it",
    "leaves": "left the position",
    "nothing to leave": "no order: there is no position to leave, or its exit is on the way",
    "too small to change": "no order: the change is below the venue's minimum",
    "resizes": "changed the size of the position",
    "turns": "left the position and ordered the other side",
    "enters": "ordered an entry",
}
"""Sentences for ``desk``."""

_SIDES = {-1: "short", 0: "flat", 1: "long"}


def explain_text(told: Mapping[str, Any], width: int = 80) -> str:
    """One explanation as text, lines of at most ``width`` columns, one newline at the end.

    :param told: from ``explain_moments``.
    """
    page = _Page(width)
    number = "" if told["decision"] is None else f", decision {told['decision']:,}"
    page.line(f"{told['instrument']} at {_time(told['time'])} UTC{number}")
    bar = told["bar"]
    values = " ".join(f"{name} {bar[name]:.10g}" for name in ("open", "high", "low", "close", "volume"))
    page.entry("Bar", values)
    page.gap()
    for agent in told["agents"]:
        _agent(page, agent)
    page.gap()
    _committee(page, told)
    _risk(page, told)
    page.gap()
    page.entry("Desk", OUTCOMES[told["desk"]])
    if told["withdrawn"]:
        page.entry("", f"withdrew order {_listed([str(n) for n in told['withdrawn']])}")
    for order in told["orders"]:
        _order(page, order)
    _trade(page, told)
    return "\n".join(page.lines) + "\n"


class _Page:
    """Lines under construction."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        """A line from the left."""
        self.lines += textwrap.wrap(text, self.width, subsequent_indent="  ")

    def entry(self, head: str, text: str) -> None:
        """A heading with text beside it, wrapped under itself."""
        self.lines += textwrap.wrap(
            text,
            self.width,
            initial_indent=f"{head:<{HEAD - 1}} ",
            subsequent_indent=" " * HEAD,
            break_on_hyphens=False,
        )

    def gap(self) -> None:
        """An empty line."""
        self.lines.append("")


def _agent(page: _Page, agent: Mapping[str, Any]) -> None:
    """What one seat said, and what it counts for."""
    reason = f" ({agent['reason']})" if agent["reason"] else ""
    stance = agent["stance"]
    weight = f"weight {_share(agent['weight_bp'])}"
    if not agent["counts"]:
        said = f"abstains: {agent['abstains']}{reason if agent['abstains'] == 'its own choice' else ''}; {weight}"
        if stance["direction"]:
            said += f"; its last target, {_stance(stance)}, is kept and not counted"
        page.entry(agent["seat"][: HEAD - 2], said)
        return
    said = f"{agent['says']}{reason}; {weight}"  # confidence, size and bracket mean nothing with HOLD and FLAT
    if agent["says"] in {"BUY", "SELL"}:
        said = f"{agent['says']} with confidence {_share(agent['confidence_bp'])}{reason}; {weight}"
        said += f"; size {_share(agent['size_bp'])}, {_bracket(agent['stop'], agent['take'])}"
    page.entry(agent["seat"][: HEAD - 2], said)
    if agent.get("memory"):
        _memory(page, agent["memory"])
    if agent["says"] == "HOLD":
        page.entry("", f"HOLD keeps its last target: {_stance(stance)}")
    elif agent["says"] == "SELL" and stance["direction"] == 0:
        page.entry("", "SELL means flat here: the instrument cannot be shorted")


def _memory(page: _Page, memory: Mapping[str, Any]) -> None:
    """What was recalled when the seat's direction changed, and what came of it."""
    near = memory["neighbours"]
    page.entry(
        "",
        f"memory: confidence x {memory['multiplier_bp'] / FULL_BP:g} since {_time(memory['since'])}, "
        f"{memory['words']}; log position {memory['position']:,}",
    )
    if not near:
        return
    page.entry(
        "",
        f"{len(near)} neighbour{'s' if len(near) > 1 else ''} in {memory['space']}, {memory['effective']:.1f} "
        f"effective; expected {memory['expected_r']:+.2f} R, base rate {memory['base_r']:+.2f} R",
    )
    for one in near:
        outcome = f"{one['r']:+.2f} R" if one["r"] is not None else f"{one['result_ppm'] / PPM_PERCENT:+.2f} %"
        page.entry(
            "",
            f"{one['episode'][:8]} {_time(one['decided'])[:10]} distance {one['distance']:.3f} "
            f"age {one['age_ns'] / DAY_NS:.1f} d {outcome} weight {one['weight']:.2f}",
        )


def _stance(stance: Mapping[str, Any]) -> str:
    """A standing target."""
    if not stance["direction"]:
        return "flat" if stance["since"] is None else f"flat since {_time(stance['since'])}"
    side, sure = _SIDES[stance["direction"]], _share(stance["confidence_bp"])
    return f"{side} with {sure} since {_time(stance['since'])}"


def _committee(page: _Page, told: Mapping[str, Any]) -> None:
    """What was weighed, and which rule made the intent."""
    weigher, intent = told["weigher"], told["intent"]
    terms = [
        f"{agent['weight_bp']} x {agent['stance']['direction'] * agent['stance']['confidence_bp']:+d}"
        for agent in told["agents"]
        if agent["counts"]
    ]
    sums = ""
    if weigher["name"] == "WeightedWeigher" and terms:
        sums = f" = ({' + '.join(terms)}) / {weigher['participation_bp']}"
    page.entry(
        "Committee",
        f"exposure {weigher['exposure_bp']:+d} bp{sums}; {_share(weigher['participation_bp'])} of the weight takes "
        "part",
    )
    levels = {key: _share(intent[key]) for key in ("participation_bp", "enter_bp", "exit_bp")}
    before, after = intent["before_bp"], intent["exposure_bp"]
    change = f"still {_exposure(after)}" if before == after else f"{_exposure(before)} becomes {_exposure(after)}"
    page.entry("Intent", f"{change}: {RULES[intent['rule']].format(**levels)}")
    if after:
        who = f"agreed: {_listed(intent['agree'])}" if intent["agree"] else "nobody agrees"
        page.entry("", f"size {_share(intent['size_bp'])}, {_bracket(intent['stop'], intent['take'])}; {who}")


def _risk(page: _Page, told: Mapping[str, Any]) -> None:
    """The account, the size, and the verdict with its numbers."""
    account = told["account"]
    currency = account["currency"]
    page.entry(
        "Account",
        f"equity {_money(account['equity'])} {currency}, position {account['position']} at {account['close']}, "
        f"{_money(account['elsewhere'])} {currency} elsewhere",
    )
    if told["sizing"] is not None:
        _sizing(page, told["sizing"], currency)
    if told["gate"] is None:
        return
    gate = told["gate"]
    if gate["verdict"] == "APPROVED":
        page.entry("Gate", f"approved {gate['lots']:,} lots after {len(gate['checks'])} checks")
    else:
        page.entry("Gate", f"refused, {REFUSAL_WORDS[Refusal[gate['verdict']]]}: {_check(gate, currency)}")


def _sizing(page: _Page, sizing: Mapping[str, Any], currency: str) -> None:
    """How the intent became lots."""
    method, strength = sizing["method"], _share(sizing["strength_bp"])
    if method == "calibrated" and "kelly_bp" in sizing:
        page.entry(
            "Sizing",
            f"calibrated: payoff {sizing['payoff_bp'] / 10_000:.2f}, {sizing['record_trades']:.1f} trades on record "
            f"and {sizing['prior_trades']} of the prior give a win rate of {_share(sizing['win_bp'])} and Kelly "
            f"{_share(sizing['kelly_bp'])}; {_share(sizing['fraction_bp'])} of it"
            + (f" is less than the probe of {_share(sizing['probe_bp'])}, which is risked" if sizing["probing"] else "")
            + f": {_share(sizing['risk_bp'])} of equity x exposure {strength} = {_units(sizing['risk'])} {currency} at "
            f"risk, {sizing['loss_ticks']:,} ticks a lot: {sizing['stop_ticks']:,} to the stop, and costs",
        )
    elif method == "fraction" and "notional" in sizing:
        page.entry(
            "Sizing",
            f"fraction: {_share(sizing['size_bp'])} of equity x exposure {strength} = {_units(sizing['notional'])} "
            f"{currency}",
        )
    elif method == "published" and "notional" in sizing:
        page.entry(
            "Sizing",
            f"published: win probability {_share(sizing['win_bp'])}, Kelly {_share(sizing['kelly_bp'])}, "
            f"{_share(sizing['fraction_bp'])} of it, volatility {_share(sizing['volatility_bp'])}, risk scaling "
            f"{_share(sizing['risk_scaling_bp'])}: {_share(sizing['share_bp'])} of equity = "
            f"{_units(sizing['notional'])} {currency}",
        )
    elif method == "lots":
        page.entry("Sizing", f"lots: {sizing.get('fixed_lots', 0):,} fixed lots x exposure {strength}")
    else:
        page.entry("Sizing", f"{method}: {sizing['bound_by']}")
    caps = [f"{cap['cap']} {_share(cap['limit_bp'])} = {cap['lots']:,} lots" for cap in sizing["caps"]]
    text = f"{sizing['own_lots']:,} lots by the method" if "own_lots" in sizing else "no lots"
    text += f"; caps: {'; '.join(caps)}" if caps else ""
    bound = f", held down by {sizing['bound_by']}" if sizing["bound_by"] not in {"method", ""} and caps else ""
    text += f"; comes to {sizing['lots']:,} lots{bound}"
    if sizing["held_lots"]:
        text += f"; {sizing['held_lots']:,} are held, so {sizing['difference_lots']:+,}"
    page.entry("", text)


def _check(gate: Mapping[str, Any], currency: str) -> str:
    """The numbers of the check that refused."""
    check = gate["checks"][-1]
    value, limit = check["value"], check["limit"]
    if check["refusal"] == Refusal.DRAWDOWN.name:
        until = "the run ends" if gate["breaker_until"] == NEVER else _time(iso(gate["breaker_until"]))
        return (
            f"equity {_units(value)} {currency}, high-water mark {_units(gate['peak'])}, breaker below {_units(limit)}"
            f"; it is open until {until}"
        )
    if check["unit"] == "ns":
        return f"no entries until {_time(iso(limit))}"
    if check["unit"] == "money":
        relation = "not above" if check["refusal"] == Refusal.NO_EQUITY.name else "limit"
        relation = "at least" if check["refusal"] == Refusal.MIN_NOTIONAL.name else relation
        return f"{_units(value)} {currency}, {relation} {_units(limit)}"
    if check["unit"]:
        return f"{value:,} {check['unit']}, limit {limit:,}"
    return "spot only"


def _order(page: _Page, order: Mapping[str, Any]) -> None:
    """An order, its fills and what they cost, how it ended, and what guards it."""
    prices = [
        f"{word} {order[name]}" for word, name in (("triggered at", "trigger"), ("limited to", "limit")) if order[name]
    ]
    asked = " ".join([order["side"], order["quantity"], f"{order['kind']} {order['tif']}", *prices])
    ended = f" at {_time(order['ended'])}" if order["ended"] else ""
    page.entry("Order", f"{order['order']:,} ({order['role']}): {asked}; {order['end']}{ended}")
    for fill in order["fills"]:
        page.entry(
            "",
            f"filled {fill['quantity']} at {fill['price']} in the bar of {_time(fill['bar'])}: reference "
            f"{fill['reference']}, spread and slippage {_money(fill['slipped'])}, fee {_money(fill['fee'])}",
        )
    for guard in order.get("guards", ()):
        _order(page, guard)


def _trade(page: _Page, told: Mapping[str, Any]) -> None:
    """What came of it."""
    trade, currency = told["trade"], told["account"]["currency"]
    if trade is None:
        return
    if trade["open"]:
        page.entry("Trade", "still open when the run ended: no outcome")
        return
    closer = trade["closed_by"]
    by = f" by its {closer['role']}, order {closer['order']:,}" if closer else ""
    multiple = f" ({trade['r']:+.2f} of the {_money(trade['risk'])} at risk)" if trade["r"] is not None else ""
    page.entry(
        "Trade",
        f"{trade['trade']:,}, {trade['side']} {trade['quantity']}: closed in the bar of {_time(trade['closed'])}{by}; "
        f"{_money(trade['pnl'])} {currency} after costs{multiple}",
    )
    shares = [f"{share['seat']} {_share(share['share_bp'])}" for share in trade["attributed"]]
    page.entry("", f"attributed to {_listed(shares)}" if shares else "attributed to nobody")


def _bracket(stop: str, take: str) -> str:
    """Stop and target distances."""
    return (
        f"stop {stop} away, target {take} away" if take != "0" else (f"stop {stop} away" if stop != "0" else "no stop")
    )


def _exposure(bp: int) -> str:
    """A signed exposure."""
    return "flat" if bp == 0 else f"{_SIDES[1 if bp > 0 else -1]} {_share(abs(bp))}"


def _share(bp: int | None) -> str:
    """Basis points as a percentage."""
    return "-" if bp is None else f"{bp / 100:g} %"


def _units(units: int) -> str:
    """Units of 1e-8 with two decimals."""
    return f"{units / MONEY:,.2f}"


def _money(text: str) -> str:
    """A decimal string with two decimals."""
    return f"{float(text):,.2f}"


def _time(text: str) -> str:
    """``2018-01-31 23:00``."""
    return text[:19].replace("T", " ").removesuffix(":00") if text[17:19] == "00" else text[:19].replace("T", " ")


def _listed(words: list[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
