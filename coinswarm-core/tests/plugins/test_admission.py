"""Who may trade: tiers, settings, markets, demands and acceptances, each refusal with what would lift it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.plugins.admission import (
    Acceptance,
    Market,
    Seat,
    acceptances,
    below_silver,
    live_refusals,
    standing,
    uncertified,
)
from coinswarm.plugins.certificate import Certificate, CheckRow, Signed
from coinswarm.plugins.certificates import Found, Held
from coinswarm.plugins.records import Origin, PluginRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD = PluginRecord(name="trend", distribution="cs-trend", version="1.0", target="t.p", origin=Origin.WHEEL)
DIGEST = "a" * 64
COSTS = {"maker_bps": 10.0, "taker_bps": 10.0, "spread_bps": 2.0, "slippage_bps": 1.0}
MARKET = Market(symbols=("BTC/USD",), bar_seconds=3600, costs=COSTS)
NUMBERS = {
    "BTC/USD sharpe": 1.2, "BTC/USD psr": 0.99, "BTC/USD dsr": 0.96, "BTC/USD trades": 80, "BTC/USD days": 365,
    "BTC/USD win_rate": 0.5, "BTC/USD break_even_bps": 40.0, "BTC/USD max_drawdown": 0.12, "BTC/USD turnover": 20.0,
    "BTC/USD admitted": "yes",
}  # fmt: skip
DEMAND = {"admitted": True, "min_dsr": 0.95, "min_trades": 50, "max_drawdown": 0.2}
NOW = "2026-11-28T12:00:00.000Z"


def seat(settings: Mapping[str, Any] | None = None, **more: Any) -> Seat:  # noqa: ANN401
    def normal(given: Mapping[str, Any]) -> object:
        return {"fast": 20, **given}

    fields = {"label": "trend", "kind": "agent", "name": "trend", "record": RECORD, "normal": normal, **more}
    return Seat(settings=settings or {}, **fields)


def held(tier: str = "silver", *, why: str = "", numbers: Mapping[str, Any] = NUMBERS, **more: Any) -> Held:  # noqa: ANN401
    """A certificate of the agent ``trend``."""
    rows = [CheckRow(id="A30", title="t", category=3, tier="silver", outcome="passed", seconds=0.1)]
    if tier == "gold":
        rows.append(
            CheckRow(id="A80", title="t", category=2, tier="gold", outcome="passed", seconds=9.0, measured=numbers)
        )
        more = {"instruments": ("BTC/USD", "ETH/USD"), "bar_seconds": 3600, "costs": COSTS, **more}
    fields: dict[str, Any] = {
        "kind": "agent", "name": "trend", "plugin": "trend", "distribution": "cs-trend", "version": "1.0",
        "digest": DIGEST, "files": {}, "made_with": {}, "checks": tuple(rows), "asked": tier, "tier": tier, "date": NOW,
    }  # fmt: skip
    signed = Signed(Certificate(**{**fields, **more}), "k", "s")
    return Held(Found(Path("c.json"), signed, ""), why)


def stands(*certificates: Held, of: Seat | None = None, market: Market = MARKET, demand: Any = DEMAND) -> Any:  # noqa: ANN401
    return standing(of or seat(), market, certificates, demand=demand, profile="p.toml")


def test_without_a_certificate_the_command_is_told() -> None:
    found = stands()
    assert found.tier == ""
    assert found.why == "it has no certificate: coinswarm plugins check trend --profile p.toml"
    odd = standing(seat(), MARKET, [], demand=DEMAND, profile="my p.toml")
    assert odd.why.endswith("--profile 'my p.toml'"), "it can be pasted"
    said = standing(seat(), MARKET, [], demand=DEMAND, profile="p.toml", said=["agents.trend.settings.fast=12"])
    assert said.why.endswith("trend --profile p.toml --set agents.trend.settings.fast=12")
    assert uncertified([found]) == [f"trend is not certified: {found.why}"]
    assert below_silver([found]) == [f"trend has no certificate that counts, and paper demands silver: {found.why}"]


def test_silver_is_enough_for_paper_and_not_for_live() -> None:
    found = stands(held())
    assert below_silver([found]) == uncertified([found]) == []
    [line] = live_refusals([found], accepted=[], capital=1000, now=NOW)
    assert line.startswith("trend has silver, and live demands gold: it is certified silver: coinswarm plugins check")
    assert line.endswith("--profile p.toml --tier gold")


def test_bronze_is_not_enough_for_paper() -> None:
    [line] = below_silver([stands(held("bronze"))])
    assert line.startswith("trend has only bronze, and paper demands silver")


def test_one_that_does_not_count_is_named_with_what_broke() -> None:
    found = stands(held(why="t/agent.py differs from what was installed"))
    assert found.why == "its certificate c.json does not count: t/agent.py differs from what was installed"


@pytest.mark.parametrize(
    ("earned", "seated", "same"),
    [
        ({}, {}, True),
        ({"fast": 20}, {}, True),
        ({}, {"fast": 20}, True),
        ({"fast": 21}, {}, False),
        ({}, {"x": 1}, False),
    ],
)
def test_a_certificate_is_for_the_settings_it_was_earned_with(
    earned: dict[str, int], seated: dict[str, int], *, same: bool
) -> None:
    found = stands(held(settings=earned), of=seat(seated))
    assert (found.tier == "silver") is same
    if not same:
        assert found.why.startswith("it is certified with other settings (")
        assert found.why.endswith("coinswarm plugins check trend --profile p.toml")


def test_settings_that_the_model_refuses_are_other_settings() -> None:
    def refuse(given: Mapping[str, Any]) -> object:
        raise ValueError(given)

    assert stands(held(settings={"fast": 1}), of=seat(normal=refuse)).tier == ""
    assert stands(held(settings={"fast": 1}), of=seat({"fast": 2}, normal=None)).tier == ""


def test_gold_where_it_was_measured_is_gold() -> None:
    found = stands(held(), held("gold"))
    assert (found.tier, found.why, found.below) == ("gold", "", ())
    assert live_refusals([found], accepted=[], capital=1000, now=NOW) == []


@pytest.mark.parametrize(
    ("market", "said"),
    [
        ({"symbols": ("SOL/USD",)}, "its evidence is from BTC/USD, ETH/USD, not from SOL/USD: coinswarm plugins check"),
        ({"bar_seconds": 0}, "its evidence is from bars of 3600 s, and the profile's are of no one known length"),
        ({"bar_seconds": 60}, "its evidence is from bars of 3600 s, not of 60 s"),
        ({"costs": {**COSTS, "taker_bps": 60.0}}, "its evidence paid lower costs (taker_bps 60, measured at 10)"),
    ],
)
def test_gold_elsewhere_is_silver_and_says_what_is_not_covered(market: dict[str, Any], said: str) -> None:
    found = stands(held("gold"), market=replace(MARKET, **market))
    assert found.tier == "silver"
    assert said in found.why


def test_lower_costs_are_covered() -> None:
    market = replace(MARKET, costs={**COSTS, "taker_bps": 5.0})
    assert stands(held("gold"), market=market).tier == "gold"


@pytest.mark.parametrize(
    ("key", "limit", "good"),
    [
        ("min_dsr", 0.96, True), ("min_dsr", 0.97, False), ("max_drawdown", 0.12, True), ("max_drawdown", 0.11, False),
        ("min_trades", 80, True), ("min_trades", 81, False), ("min_sharpe", 1.3, False), ("max_turnover", 19, False),
        ("min_psr", 1, False), ("min_days", 366, False), ("min_win_rate", 0.51, False),
        ("min_break_even_bps", 41, False),
    ],
)  # fmt: skip
def test_demands_are_held_against_the_numbers(key: str, limit: float, *, good: bool) -> None:
    found = stands(held("gold"), demand={key: limit})
    assert (found.below == ()) is good
    lines = live_refusals([found], accepted=[], capital=1000, now=NOW)
    assert bool(lines) is not good
    if not good:
        assert lines[0].startswith(f"trend: BTC/USD: {key} = {limit} is demanded, and ")


def test_a_number_that_was_not_measured_meets_nothing() -> None:
    found = stands(held("gold", numbers={"BTC/USD sharpe": 1.0, "BTC/USD admitted": "days: 3 of 90"}))
    assert found.below == (
        "BTC/USD: admitted is demanded, and the evidence says days: 3 of 90",
        "BTC/USD: min_dsr = 0.95 is demanded, and no dsr was measured",
        "BTC/USD: min_trades = 50 is demanded, and no trades was measured",
        "BTC/USD: max_drawdown = 0.2 is demanded, and no max_drawdown was measured",
    )


def test_an_operators_own_bars_come_before_the_sample() -> None:
    own = {f"your {key}": value for key, value in NUMBERS.items()} | {"your BTC/USD dsr": 0.5}
    assert stands(held("gold", numbers={**NUMBERS, **own})).below == (
        "BTC/USD: min_dsr = 0.95 is demanded, and dsr is 0.5",
    )


ACCEPT = Acceptance(
    agent="trend", digest=f"sha256:{DIGEST}", reason="first weeks", cap_quote=500, expires="2027-01-01T00:00:00.000Z"
)


@pytest.mark.parametrize(
    ("change", "capital", "said"),
    [
        ({}, 500, ""),
        ({}, 501, "it is for up to 500.00, and the profile may use 501.00"),
        ({"expires": NOW}, 500, f"it expired on {NOW}"),
        ({"digest": "sha256:" + "b" * 64}, 500, "it is for sha256:bbbb"),
        ({"agent": "meanrev"}, 500, None),
    ],
)
def test_less_evidence_may_be_accepted_for_a_while(change: dict[str, Any], capital: float, said: str | None) -> None:
    accept = replace(ACCEPT, **change)
    for found in (stands(held()), stands(held("gold"), demand={"min_dsr": 0.99})):
        lines = live_refusals([found], accepted=[accept], capital=capital, now=NOW)
        assert bool(lines) is (said != "")
        if said:
            assert f"accept_evidence does not hold: {said}" in lines[-1]
        [row] = acceptances([found], [accept], capital, NOW)
        assert row["holds"] is (said == "")
        assert row["reason"] == "first weeks"


@pytest.mark.parametrize("certificates", [(), (held("bronze"),), (held(why="broken"),)])
def test_silver_cannot_be_accepted_away(certificates: tuple[Held, ...]) -> None:
    [line] = live_refusals([stands(*certificates)], accepted=[ACCEPT], capital=1, now=NOW)
    assert line.startswith("trend has no silver certificate, without which nothing can be accepted")


def test_live_takes_no_waiver_and_paper_does() -> None:
    waived, whole = held("gold", waivers={"A48": "known"}), held("gold")
    found = stands(waived)
    assert below_silver([found]) == []
    [line] = live_refusals([found], accepted=[ACCEPT], capital=1, now=NOW)
    assert "waives A48 (known), and live takes no waiver" in line
    assert live_refusals([stands(waived, whole)], accepted=[], capital=1000, now=NOW) == [], "one without comes first"


def test_live_takes_wheels_alone() -> None:
    editable = replace(RECORD, origin=Origin.EDITABLE)
    found = stands(of=seat(record=editable))
    first, second = live_refusals([found], accepted=[], capital=1, now=NOW)
    assert first == "trend: plugin 'trend' (cs-trend 1.0) is not installed from a wheel (editable)"
    assert "cs-trend is an editable install, which has no certificate: install it from a wheel" in second


def test_a_weigher_needs_silver_and_core_nothing() -> None:
    weigher = seat(kind="weigher", label="weigher trend")
    silver = held(kind="weigher")
    assert live_refusals([stands(silver, of=weigher)], accepted=[], capital=1, now=NOW) == []
    core = seat(kind="weigher", record=replace(RECORD, name="core"))
    found = stands(of=core)
    assert (
        below_silver([found]) == uncertified([found]) == live_refusals([found], accepted=[], capital=1, now=NOW) == []
    )


def test_what_nobody_brings() -> None:
    found = stands(of=seat(record=None))
    assert live_refusals([found], accepted=[], capital=1, now=NOW) == [
        "trend: no installed plugin is known to bring the agent 'trend'"
    ]
