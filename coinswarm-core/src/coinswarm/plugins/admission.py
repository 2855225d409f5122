"""Who may trade: certificates held against what a profile seats, by mode.

A backtest takes anybody and says who is uncertified. Paper takes silver. Live takes gold from a trusted wheel, with
the numbers that the profile demands; an operator may accept less evidence than that for a while, with a reason and a
cap, but never less than silver. Silver is for the settings it was earned with; gold also for instruments, bar length
and costs. What is not covered is named with the command that would certify it.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coinswarm.plugins.certificate import TIERS
from coinswarm.plugins.records import CORE, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from coinswarm.plugins.certificate import Certificate
    from coinswarm.plugins.certificates import Held
    from coinswarm.plugins.records import PluginRecord

DEMANDS: dict[str, tuple[str, str]] = {
    "min_sharpe": ("sharpe", ">="),
    "min_psr": ("psr", ">="),
    "min_dsr": ("dsr", ">="),
    "min_trades": ("trades", ">="),
    "min_days": ("days", ">="),
    "min_win_rate": ("win_rate", ">="),
    "min_break_even_bps": ("break_even_bps", ">="),
    "max_drawdown": ("max_drawdown", "<="),
    "max_turnover": ("turnover", "<="),
}
"""Key of ``[demand]`` -> the measured number of each instrument, and how it must compare."""

ADMITTED = "admitted"
"""Key of ``[demand]``, and what evidence says by its own rule: ``yes``, or what is missing."""

EVIDENCE = "A80"
"""The check that measures those numbers."""

GOLD_KINDS = frozenset({"agent"})
"""Kinds of which evidence is measured; silver is all that the others can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Something of a plugin that a profile seats.

    :param label: what messages call it, as ``agents.trend``.
    :param kind, name: as declared. :param settings: as the profile gives them.
    :param record: of the plugin; None where no installed plugin is known to bring it.
    :param normal: fills in what settings leave out, for comparing; None where the plugin is not loaded.
    :param again: the command that would certify it; empty: the one with the profile.
    """

    label: str
    kind: str
    name: str
    settings: Mapping[str, Any]
    record: PluginRecord | None
    normal: Callable[[Mapping[str, Any]], object] | None = None
    again: str = ""

    def same(self, settings: Mapping[str, Any]) -> bool:
        """Whether other settings come to the same."""
        if dict(settings) == dict(self.settings):
            return True
        try:
            return self.normal is not None and self.normal(settings) == self.normal(self.settings)
        except Exception:  # noqa: BLE001 - settings that the model refuses today are not these
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Where a profile trades.

    :param bar_seconds: 0: unknown, or not one; no evidence covers that. :param costs: in basis points by key.
    """

    symbols: tuple[str, ...]
    bar_seconds: int
    costs: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An operator's word that less evidence than demanded will do, for a while.

    :param digest: of the plugin's files, ``sha256:…``. :param cap_quote: capital it holds for, at most.
    :param expires: ISO 8601, UTC.
    """

    agent: str
    digest: str
    reason: str
    cap_quote: float
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one seat stands.

    :param tier: that counts here; empty: none.
    :param certificate: the id of the certificate that says so; :param cited: its digest, in full.
    :param why: what keeps it from silver, or from gold here; a line, with what to do.
    :param below: demands that its numbers miss, a line each.
    :param numbers: measured, by instrument and name.
    :param waived: checks that its certificate lets fail, and why.
    """

    seat: Seat
    tier: str = ""
    certificate: str = ""
    cited: str = ""
    digest: str = ""
    why: str = ""
    below: tuple[str, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    waived: Mapping[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As a run's record holds it."""
        seat = self.seat
        return {
            "seat": seat.label,
            "kind": seat.kind,
            "name": seat.name,
            "plugin": seat.record.name if seat.record else "",
            "tier": self.tier or None,
            "certificate": self.certificate or None,
            "why": self.why,
            "below_demand": list(self.below),
        }


def standing(  # noqa: PLR0913 - what a seat is held against, and how a command says it
    seat: Seat,
    market: Market,
    held: Iterable[Held],
    *,
    demand: Mapping[str, Any],
    profile: str,
    said: Sequence[str] = (),
) -> Standing:
    """How a seat stands by the certificates there are.

    :param held: certificates, held against what is installed.
    :param demand: keys of ``DEMANDS`` and ``ADMITTED`` that are in force.
    :param profile: what a command would call the profile; empty for one that is in no file.
    :param said: what a command would set beside it, ``KEY=VALUE`` each.
    """
    again = _again(seat, profile, said)
    mine = [
        one
        for one in held
        if one.found.signed is not None
        and (one.found.certificate.kind, one.found.certificate.name) == (seat.kind, seat.name)
        and (seat.record is None or one.found.certificate.plugin == seat.record.name)
    ]
    sound = [one for one in mine if not one.why]
    fitting = [one for one in sound if seat.same(one.found.certificate.settings)]
    if not fitting:
        return Standing(seat=seat, why=_nothing(seat, mine, sound, again))
    found = [(_reach(one.found.certificate, seat, market, again), one) for one in fitting]
    (tier, why), best = max(
        found,
        key=lambda pair: (
            TIERS.index(pair[0][0]),
            not pair[1].found.certificate.waivers,
            pair[1].found.certificate.date,
        ),
    )
    of = best.found.certificate
    assert best.found.signed is not None, "chosen so"
    gold = tier == "gold"
    return Standing(
        seat=seat,
        tier=tier,
        certificate=best.found.signed.id,
        cited=best.found.signed.digest,
        digest=f"sha256:{of.digest}",
        why=why,
        below=tuple(_below(of, market, demand)) if gold else (),
        numbers=measured(of) if gold else {},
        waived=of.waivers,
    )


def _again(seat: Seat, profile: str, said: Sequence[str]) -> str:
    """The command that would certify a seat."""
    plugin = seat.record.name if seat.record else seat.name
    if seat.again:
        return seat.again
    words, sets = (["--profile", profile], said) if profile else ([], _typed(seat.settings))
    for one in sets:
        words += ["--set", one]
    return shlex.join(["coinswarm", "plugins", "check", plugin, *words])


def _typed(settings: Mapping[str, Any]) -> list[str]:
    """Settings as ``--set`` takes them."""
    return [f"{key}={one if isinstance(one, str) else json.dumps(one, default=str)}" for key, one in settings.items()]


def _nothing(seat: Seat, mine: Sequence[Held], sound: Sequence[Held], again: str) -> str:
    """Why no certificate counts for a seat."""
    if seat.record is not None and seat.record.origin is Origin.EDITABLE:
        return f"{seat.record.distribution} is an editable install, which has no certificate: install it from a wheel"
    if sound:
        known = " and ".join(dict.fromkeys(_settings(one.found.certificate.settings) for one in sound))
        return f"it is certified with other settings ({known}, not {_settings(seat.settings)}): {again}"
    if mine:
        return f"its certificate {mine[0].found.path.name} does not count: {mine[0].why}"
    return f"it has no certificate: {again}"


def _settings(settings: Mapping[str, Any]) -> str:
    """Settings in words."""
    return ", ".join(f"{key} = {value}" for key, value in settings.items()) or "defaults"


def _reach(of: Certificate, seat: Seat, market: Market, again: str) -> tuple[str, str]:
    """The tier that a certificate comes to in a market, and why it is not more."""
    gold = f"{again} --tier gold"
    if of.tier != "gold":
        return of.tier, (f"it is certified {of.tier}: {gold}" if seat.kind in GOLD_KINDS else "")
    missing = [symbol for symbol in market.symbols if symbol not in of.instruments]
    if missing:
        return "silver", (
            f"its evidence is from {', '.join(of.instruments)}, not from {', '.join(missing)}: "
            f"{gold} --data {missing[0]}=FILE"
        )
    if not market.bar_seconds:
        return (
            "silver",
            f"its evidence is from bars of {of.bar_seconds} s, and the profile's are of no one known length",
        )
    if market.bar_seconds != of.bar_seconds:
        return "silver", f"its evidence is from bars of {of.bar_seconds} s, not of {market.bar_seconds} s: {gold}"
    dear = [key for key, cost in market.costs.items() if cost > of.costs.get(key, 0.0)]
    if dear:
        words = ", ".join(f"{key} {market.costs[key]:g}, measured at {of.costs.get(key, 0.0):g}" for key in dear)
        return "silver", f"its evidence paid lower costs ({words}): {gold}"
    return "gold", ""


def measured(of: Certificate) -> dict[str, Any]:
    """The numbers that demands are about, as evidence names them: ``BTC/USD sharpe``."""
    return next((dict(row.measured) for row in of.checks if row.id == EVIDENCE), {})


def _below(of: Certificate, market: Market, demand: Mapping[str, Any]) -> Iterable[str]:
    """The demands that a gold certificate's numbers miss."""
    numbers = measured(of)
    for symbol in market.symbols:
        mine = next((name for name in (f"your {symbol}", symbol) if f"{name} sharpe" in numbers), symbol)
        for key, limit in demand.items():
            if key == ADMITTED:
                said = numbers.get(f"{mine} {ADMITTED}")
                if limit and said != "yes":
                    yield f"{symbol}: {ADMITTED} is demanded, and the evidence says {said or 'nothing'}"
                continue
            name, sign = DEMANDS[key]
            value = numbers.get(f"{mine} {name}")
            if value is None:
                yield f"{symbol}: {key} = {limit} is demanded, and no {name} was measured"
            elif value < limit if sign == ">=" else value > limit:
                yield f"{symbol}: {key} = {limit} is demanded, and {name} is {value:.4g}"


def uncertified(found: Iterable[Standing]) -> list[str]:
    """What a backtest says: a line for each seat without a certificate that counts."""
    return [f"{one.seat.label} is not certified: {one.why}" for one in found if not one.tier and _judged(one.seat)]


def _judged(seat: Seat) -> bool:
    """Whether a seat needs a certificate at all: what core itself brings is part of the judge."""
    return seat.record is None or seat.record.name != CORE


def below_silver(found: Iterable[Standing]) -> list[str]:
    """Why paper refuses, a line for each seat."""
    enough = TIERS[TIERS.index("silver") :]
    return [
        f"{one.seat.label} has {f'only {one.tier}' if one.tier else 'no certificate that counts'}, "
        f"and paper demands silver: {one.why}"
        for one in found
        if one.tier not in enough and _judged(one.seat)
    ]


def live_refusals(found: Iterable[Standing], *, accepted: Sequence[Acceptance], capital: float, now: str) -> list[str]:
    """Why live refuses, a line for each thing; empty where it does not.

    :param capital: what the profile may use, in quote. :param now: ISO 8601, UTC.
    """
    lines = []
    for one in found:
        seat = one.seat
        if not _judged(seat):
            continue
        if seat.record is None:
            lines.append(f"{seat.label}: no installed plugin is known to bring the {seat.kind} {seat.name!r}")
            continue
        if seat.record.origin is not Origin.WHEEL:
            lines.append(f"{seat.label}: {seat.record.label} is not installed from a wheel ({seat.record.origin})")
        lines += _short(one, accepted, capital, now)
    return lines


def _short(one: Standing, accepted: Sequence[Acceptance], capital: float, now: str) -> list[str]:
    """What a seat lacks of the evidence that live demands, less what was accepted."""
    seat = one.seat
    if one.tier not in TIERS[TIERS.index("silver") :]:
        return [f"{seat.label} has no silver certificate, without which nothing can be accepted: {one.why}"]
    if one.waived:
        words = ", ".join(f"{check} ({why})" for check, why in one.waived.items())
        again = f"mend {seat.name}, then coinswarm plugins check it without --waive"
        return [f"{seat.label}: its certificate waives {words}, and live takes no waiver: {again}"]
    lacks = [f"{seat.label}: {line}" for line in one.below]
    if one.tier != "gold" and seat.kind in GOLD_KINDS:
        lacks = [f"{seat.label} has silver, and live demands gold: {one.why}"]
    if not lacks:
        return []
    mine = [accept for accept in accepted if accept.agent == seat.name]
    broken = [unaccepted(accept, one, capital, now) for accept in mine]
    if mine and not all(broken):
        return []
    return [*lacks, *(f"{seat.label}: accept_evidence does not hold: {why}" for why in broken)]


def unaccepted(accept: Acceptance, one: Standing, capital: float, now: str) -> str:
    """Why an acceptance does not hold; empty where it does."""
    if accept.digest != one.digest:
        return f"it is for {accept.digest}, and what is installed is {one.digest}"
    if now >= accept.expires:
        return f"it expired on {accept.expires}"
    if capital > accept.cap_quote:
        return f"it is for up to {accept.cap_quote:,.2f}, and the profile may use {capital:,.2f}"
    return ""


def acceptances(
    found: Iterable[Standing], accepted: Sequence[Acceptance], capital: float, now: str
) -> list[dict[str, Any]]:
    """What every report shows of acceptances: each, and whether it holds."""
    by_name = {one.seat.name: one for one in found if one.seat.kind in GOLD_KINDS}
    rows = []
    for accept in accepted:
        one = by_name.get(accept.agent)
        why = unaccepted(accept, one, capital, now) if one else "the profile does not seat it"
        rows.append({
            "agent": accept.agent, "digest": accept.digest, "reason": accept.reason, "cap_quote": accept.cap_quote,
            "expires": accept.expires, "holds": not why, "why": why,
        })  # fmt: skip
    return rows
