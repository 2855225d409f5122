"""Profiles: what is accepted, what it becomes, and one line for everything that is refused."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.committee.rules import CommitteeRules
from coinswarm.config.profile import load_profile, parse_profile, template_names
from coinswarm.config.sections import (
    CommitteeSection,
    CostsSection,
    LogSection,
    OrdersSection,
    RiskSection,
    SizingSection,
)
from coinswarm.domain.instrument import MONEY
from coinswarm.domain.order import OrderKind, TimeInForce
from coinswarm.errors import ProfileError
from coinswarm.execution.style import OrderStyle
from coinswarm.risk.limits import RiskLimits, SizingRules
from coinswarm.simulator.costs import Costs

if TYPE_CHECKING:
    from coinswarm.config.fields import Section

MINIMAL = """
mode = "backtest"
[[instruments]]
symbol = "BTC/USD"
file = "bars.csv"
[[agents]]
name = "trend"
weight_bp = 10_000
"""


@pytest.mark.parametrize("name", ["backtest", "demo", "live", "paper"])
def test_every_template_is_valid_and_survives_json(name: str) -> None:
    profile = load_profile(name)
    assert parse_profile(json.loads(json.dumps(profile.canonical())), "run.json") == profile


def test_the_templates_are_those_four() -> None:
    assert template_names() == ["backtest", "demo", "live", "paper"]


def test_the_demo_seats_two_agents_on_the_sample() -> None:
    demo = load_profile("demo")
    assert [(agent.name, agent.weight_bp) for agent in demo.agents] == [("trend", 5000), ("meanrev", 5000)]
    assert {item.sample for item in demo.instruments} == {"BTC/USD", "ETH/USD"}
    assert demo.cost_rules().taker_ppm == 1_000


def test_a_minimal_profile_has_the_defaults_of_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(MINIMAL)
    profile = load_profile(path)
    assert profile.committee_rules() == CommitteeRules()
    assert profile.sizing_rules() == SizingRules()
    assert profile.risk_limits() == RiskLimits()
    assert profile.cost_rules() == Costs()
    assert profile.order_style() == OrderStyle()
    assert (profile.cash_units(), profile.start_ns(), profile.hole_bars) == (10_000 * MONEY, 0, 3)


@pytest.mark.parametrize(
    ("section", "rules", "renamed"),
    [
        (CommitteeSection, CommitteeRules, {}),
        (SizingSection, SizingRules, {}),
        (RiskSection, RiskLimits, {"max_order_units": "max_order_notional"}),
        (CostsSection, Costs, {}),
        (OrdersSection, OrderStyle, {}),
    ],
)
def test_keys_are_called_what_the_rules_call_them(section: type[Section], rules: type, renamed: dict[str, str]) -> None:
    expected = {renamed.get(field.name, field.name).replace("_ppm", "_bps") for field in fields(rules)}
    assert expected == set(section.model_fields) - {"weigher", "settings", *LogSection.model_fields}


def test_paths_are_relative_to_the_profile_and_overrides_to_here(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(MINIMAL)
    assert load_profile(path).instruments[0].file == str(tmp_path / "bars.csv")
    assert load_profile(path, ["instruments.0.file=x.csv"]).instruments[0].file == "x.csv"
    path.write_text(MINIMAL.replace('"bars.csv"', '"/data/bars.csv"'))
    assert load_profile(path).instruments[0].file == str(Path("/data/bars.csv"))


def test_references_to_secret_files_are_relative_to_the_profile_too(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    reference = '{ file = "key" }'
    path.write_text(
        f"{MINIMAL}\n[drivers.bus]\nname = 'nats'\nsettings = {{ nkey_seed = {reference} }}\n"
        f"[memory]\nstore = {reference}\nsettings = {{ password = {reference}, user = {{ env = 'U' }} }}\n"
    )
    profile = load_profile(path)
    there = {"file": str(tmp_path / "key")}
    assert profile.drivers.bus is not None
    assert profile.memory is not None
    assert profile.drivers.bus.settings == {"nkey_seed": there}
    assert profile.memory.store == there
    assert profile.memory.settings == {"password": there, "user": {"env": "U"}}


def test_a_home_that_nobody_has_is_said(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(MINIMAL.replace("bars.csv", "~nobody-here/bars.csv"))
    for name in (path, "~nobody-here/p.toml"):
        with pytest.raises(ProfileError, match=r"'~nobody-here/.* is not known: write the folder's name out"):
            load_profile(name)


def test_values_arrive_as_integers() -> None:
    profile = load_profile(
        "backtest",
        [
            "costs.taker_bps=7.25",
            "costs.fee_in_base=true",
            "orders.entry=stop-limit",
            "orders.offset_bps=12.5",
            "orders.limit_offset_bps=3",
            "orders.tif=gtd",
            "orders.ttl_bars=4",
            "risk.max_order_notional=250.5",
            "cash=1234.56789012",
            "start=2018-01-01",
            "instruments.BTC/USD.tick=0.1",
            "instruments.BTC/USD.bar=15m",
        ],
    )
    assert (profile.cost_rules().taker_ppm, profile.cost_rules().fee_in_base) == (725, True)
    assert profile.order_style() == OrderStyle(
        entry=OrderKind.STOP_LIMIT, offset_ppm=1250, limit_offset_ppm=300, tif=TimeInForce.GTD, ttl_bars=4
    )
    assert profile.risk_limits().max_order_units == 25_050_000_000
    assert profile.cash_units() == 123_456_789_012
    assert profile.start_ns() == 1_514_764_800_000_000_000
    assert profile.instruments[0].tick == Decimal("0.1")
    assert profile.instruments[0].bar_ns == 900 * 1_000_000_000
    assert load_profile("demo").instruments[0].bar_ns is None


def test_fixed_lots_follow_the_sorted_symbols() -> None:
    profile = load_profile("demo", ["sizing.method=lots", 'sizing.fixed_lots={"ETH/USD" = 2, "BTC/USD" = 1}'])
    assert profile.symbols == ["BTC/USD", "ETH/USD"]
    assert profile.sizing_rules().fixed_lots == (1, 2)


def test_settings_speak_floats() -> None:
    profile = load_profile("demo", ["agents.trend.settings={adx = 25.5, list = [1.5, {x = 2.5}]}"])
    assert profile.agents[0].settings == {"adx": 25.5, "list": [1.5, {"x": 2.5}]}
    assert isinstance(profile.agents[0].settings["adx"], float)


def test_words_that_are_no_secret_to_an_agent_pass() -> None:
    settings = load_profile("demo", ["agents.trend.settings={token = 'BTC', sort_key = 'close'}"]).agents[0].settings
    assert settings == {"token": "BTC", "sort_key": "close"}


def test_one_agent_may_sit_twice_under_two_ids() -> None:
    seats = '[{name = "trend", id = "fast", weight_bp = 4000}, {name = "trend", weight_bp = 6000}]'
    assert [agent.seat for agent in load_profile("demo", [f"agents={seats}"]).agents] == ["fast", "trend"]


REFUSED = [
    ("risk.max_posision_bp=3", "unknown key 'risk.max_posision_bp': did you mean 'max_position_bp'?"),
    ("instruments.0.symbl=3", "unknown key 'instruments.0.symbl': did you mean 'symbol'?"),
    ("drivers.brokr={name='x'}", "unknown key 'drivers.brokr': did you mean 'broker'?"),
    ("drivers.broker={nme='x', name='y'}", "unknown key 'drivers.broker.nme': did you mean 'name'?"),
    ("comittee.enter_bp=3", "unknown key 'comittee': did you mean 'committee'?"),
    ("risk.max_position_bp=10001", "risk.max_position_bp = 10001: must be less than or equal to 10000"),
    ("risk.max_exposure_bp=10001", "risk.max_exposure_bp = 10001: must be less than or equal to 10000"),
    ("risk.max_exposure_bp=0", "risk.max_exposure_bp = 0: must be greater than or equal to 1"),
    ("risk.require_stop=1", "risk.require_stop = 1: must be true or false"),
    ("risk.stop_guard_count=2", "risk: the stop guard is half set: set stop_guard_bars and stop_guard_pause_bars too"),
    ("risk.max_order_notional=-1", "must be greater than or equal to 0"),
    ("risk={drawdown_bp = 0, drawdown_pause_bars = 3}", "no breaker to pause: set drawdown_bp"),
    ("agents.trend.weight_bp=4000", "sums to 9000 (trend 4000 + meanrev 5000), not 10000: add 1000"),
    ("agents.trend.weight_bp=6000", "sums to 11000 (trend 6000 + meanrev 5000), not 10000: take away 1000"),
    ("agents.trend.weight_bp=-1", "agents.0.weight_bp = -1: must be greater than or equal to 0"),
    ("agents.meanrev.name=trend", "agents: 'trend' is there 2 times: give each seat an id of its own"),
    ("agents=[]", "agents = []: must have at least one entry"),
    ("agents=3", "agents = 3: must be a list [...]"),
    ("agents=[{name = 'trend'}]", "'agents.0.weight_bp' is missing: set it (its weight in basis points"),
    ("agents.trend.settings={key = {env = 'X'}}", "'key' refers to a secret, and agents are given none"),
    ("agents.trend.settings={a = [{key = {env = 'X'}}]}", "'a.0.key' refers to a secret"),
    (
        "agents.trend.settings={api_key = 'hunter2'}",
        "'api_key' holds a secret in plain text, and agents are given none",
    ),
    ("committee.settings={password = 'hunter2'}", "'password' holds a secret in plain text"),
    ("cash=0", "cash = 0: must be greater than 0"),
    ("cash=-5", "cash = -5: must be greater than 0"),
    ("cash=nan", "cash = NaN: must be a finite number"),
    ("cash=true", "cash = True: must be a number"),
    ("cash=lots", "cash = 'lots': must be a number"),
    ("cash=0.000000001", "cash = 1E-9: is finer than 0.00000001: round it"),
    ("cash=99999999999", "is too large for the integer path: at most 46116860183"),
    ("committee.exit_bp=2001", "committee: exit_bp 2001 is above enter_bp 2000: lower exit_bp or raise enter_bp"),
    ("orders.tif=gtd", 'orders: tif = "gtd" needs ttl_bars: say how many bars an entry works'),
    ("orders.tif=gdt", "orders.tif = 'gdt': must be 'gtc', 'ioc', 'fok', 'day' or 'gtd'"),
    ("orders.ttl_bars=3", 'ttl_bars counts with tif = "gtd" only'),
    ("orders.offset_bps=3", 'offset_bps has no effect on entry = "market"'),
    ("orders.limit_offset_bps=3", 'limit_offset_bps counts with entry = "stop-limit" only'),
    ("costs.taker_bps=0.001", "costs.taker_bps = 0.001: is finer than 0.01 bps: round it"),
    ("costs.taker_bps=-1", "costs.taker_bps = -1: must be greater than or equal to 0"),
    ("costs.taker_ppm=3", "unknown key 'costs.taker_ppm': did you mean 'taker_bps'?"),
    ("sizing.method=lots", "fixed_lots and the instruments differ in BTC/USD: give each symbol its lots"),
    ("sizing.fixed_lots={'BTC/USD' = 1}", 'fixed_lots counts with method = "lots" only'),
    ("instruments=[]", "instruments = []: must have at least one entry"),
    ("instruments.0.symbol=BTCUSD", "instruments.0.symbol = 'BTCUSD': must be BASE/QUOTE, as in BTC/USD"),
    ("instruments.0.tick=0", "instruments.0.tick = 0: must be greater than 0"),
    ("instruments.0.bar=1x", "instruments.0.bar = '1x': must be a bar length such as 1m, 5m, 1h or 1d"),
    ("instruments.0.stamp=end", "instruments.0.stamp = 'end': must be 'open' or 'close'"),
    ("instruments.0.file=''", "instruments.0.file = '': must not be empty"),
    ("instruments.0.file=x.csv", "BTC/USD has both a file and a sample: remove one"),
    ("instruments=[{symbol = 'A/B'}]", "instruments: A/B has no bars: set file or sample"),
    (
        "instruments=[{symbol='A/B', file='x'}, {symbol='A/B', file='y'}]",
        "instruments: 'A/B' is there 2 times: name each symbol once",
    ),
    (
        "instruments=[{symbol='A/B', file='x'}, {symbol='A/C', file='y'}]",
        "instruments: quoted in B and C, but a run has one settlement currency",
    ),
    ("mode=lve", "mode = 'lve': must be 'backtest', 'paper' or 'live'"),
    ("mode=live", "BTC/USD trades live, not from a file: remove file and sample"),
    ("plugins=['trend', 'trend']", "plugins: 'trend' is there 2 times: name each once"),
    ("plugins=['Trend']", "plugins.0 = 'Trend': must be lower-case letters, digits and single hyphens"),
    ("plugins=trend", "plugins = 'trend': must be a list [...]"),
    ("seed=1.5", "seed = 1.5: must be a whole number"),
    ("seed=x", "seed = 'x': must be a whole number"),
    ("hole_bars=0", "hole_bars = 0: must be greater than or equal to 1"),
    ("start=2018-01-01T00:00:00", "has no time zone: append Z for UTC"),
    ("start=soon", "start = 'soon': must be a date and time such as 2018-01-31T23:00:00Z"),
    ("start=9999-12-31T23:59:59-05:00", "lies outside the years 1 to 9999 in UTC"),
    (f"seed={'9' * 5_000}", ": must be a whole number"),
    ("cash=1e9999999999999999999999", "cash = '1e9999999999999999999999': must be a number"),
    ("start=3", "start = 3: must be a date and time such as 2018-01-31T23:00:00Z"),
    ("risk=3", "risk = 3: must be a table"),
    ("drivers.broker={name='x', settings={api_key='hunter2'}}", "'api_key' holds a secret in plain text"),
    (
        "drivers.broker={name='x', settings={a={token='hunter2'}}}",
        "'a.token' holds a secret in plain text: write token =",
    ),
    ("drivers.broker={name='x', settings='hunter2'}", "drivers.broker.settings = …: must be a table"),
    (
        "agents.0.settings={a=[1.5, {b=nan}]}",
        "agents.0.settings: 'a.1.b' is nan: write a finite number, or leave it out",
    ),
    ("committee.settings.most=1e400", "committee.settings: 'most' is inf: write a finite number"),
    ("memory.settings.seconds=-inf", "memory.settings: 'seconds' is -inf: write a finite number"),
    ("memory=redis://:hunter2@host", "memory = …: must be a table"),
    ("memory.settings=redis://:hunter2@host", "memory.settings = …: must be a table"),
    ("drivers.broker={name='x', api_key='hunter2'}", "unknown key 'drivers.broker.api_key'"),
]


@pytest.mark.parametrize(("override", "said"), REFUSED)
def test_what_is_wrong_is_one_line_with_key_value_and_remedy(override: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("backtest", [override])
    text = str(caught.value)
    assert said in text
    assert "\n" not in text
    assert "hunter2" not in text
    assert text.startswith(("--set: ", "profile backtest: "))


def test_a_finding_names_the_file_or_the_option_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(MINIMAL.replace("10_000", "-1"))
    with pytest.raises(ProfileError) as caught:
        load_profile(path, ["cash=0"])
    assert str(caught.value).splitlines() == [
        "--set: cash = 0: must be greater than 0",
        f"{path}: agents.0.weight_bp = -1: must be greater than or equal to 0",
    ]


def test_an_empty_profile_lists_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.touch()
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    lines = str(caught.value).splitlines()
    assert [line.split("'")[1] for line in lines] == ["mode", "instruments", "agents"]


def test_a_name_that_no_record_can_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "\udcff.toml"  # as Python reads the byte 0xFF of a name
    path.touch()
    with pytest.raises(ProfileError, match=r"the name of the profile '.*udcff.toml' is not text: rename it, or"):
        load_profile(path)


def test_a_folder_that_no_record_can_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "\udcff"
    folder.mkdir()
    (folder / "p.toml").touch()
    monkeypatch.chdir(folder)
    with pytest.raises(ProfileError, match=r"the name of the profile '/.*udcff/p.toml' is not text: rename it, or"):
        load_profile("p.toml")


def test_a_profile_that_does_not_exist_is_answered_with_the_templates(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="'demoo' is neither a file nor a template: did you mean 'demo'"):
        load_profile("demoo")
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(tmp_path)


def test_canonical_holds_references_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_API_KEY", "hunter2")
    text = json.dumps(load_profile("live").canonical())
    assert "COINSWARM_API_KEY" in text
    assert "hunter2" not in text


@given(
    cash=st.decimals(min_value="0.00000001", max_value="1e10", places=8),
    weights=st.lists(st.integers(0, 10_000), min_size=1, max_size=6),
    taker=st.decimals(min_value=0, max_value=5_000, places=2),
    settings=st.dictionaries(st.sampled_from(["a", "b"]), st.integers() | st.booleans() | st.text(max_size=5)),
)
def test_what_is_accepted_survives_json_and_weights_are_whole(
    cash: Decimal, weights: list[int], taker: Decimal, settings: dict[str, object]
) -> None:
    data = {
        "mode": "backtest",
        "cash": cash,
        "instruments": [{"symbol": "A/B", "file": "x"}],
        "agents": [
            {"name": "trend", "id": f"seat{number}", "weight_bp": weight, "settings": settings}
            for number, weight in enumerate(weights)
        ],
        "costs": {"taker_bps": taker},
    }
    if sum(weights) != 10_000:
        with pytest.raises(ProfileError, match=f"sums to {sum(weights)} "):
            parse_profile(data, "x")
        data["agents"][0]["weight_bp"] = 10_000  # type: ignore[index]
        data["agents"] = data["agents"][:1]  # type: ignore[index]
    profile = parse_profile(data, "x")
    assert parse_profile(json.loads(json.dumps(profile.canonical())), "y") == profile
    assert Decimal(profile.cash_units()) / MONEY == cash
    assert profile.cost_rules().taker_ppm == taker * 100
