"""Assembly: what fits together is seated, and what does not is refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.clock import HOUR_NS, SECOND_NS
from coinswarm.engine.plan import RunPlan
from coinswarm.errors import (
    CoinswarmError,
    ContractError,
    DataError,
    LoadError,
    NotReadyError,
    ProfileError,
    UnknownNameError,
)
from coinswarm.plugins.standing import STRICT
from coinswarm.runtime.assembly import assemble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Profiles = Any
Site = Any
Fake = Any


def refused(profile: Any, kind: type[CoinswarmError]) -> str:  # noqa: ANN401
    """The one line with which a profile is refused."""
    with pytest.raises(kind) as caught:
        assemble(profile, label="profile p")
    text = str(caught.value)
    assert type(caught.value) is kind
    assert "\n" not in text
    return text


def test_a_profile_becomes_a_plan(profile: Profiles, fake: Fake) -> None:
    fake(declared='warm_up=30, reasons=("up", "down")')
    ready = assemble(
        profile(
            cash=500,
            hole_bars=5,
            start="2018-01-02T00:00:00Z",
            committee={"enter_bp": 3_000},
            sizing={"method": "fraction"},
            risk={"daily_loss_bp": 77},
            costs={"taker_bps": 30},
            orders={"entry": "limit", "offset_bps": 5},
        ),
        label="profile p",
    )
    plan = ready.plan
    assert plan.cash == 500 * 10**8
    assert plan.bar_ns == HOUR_NS
    assert (plan.hole_bars, plan.start_ns) == (5, 1_514_851_200 * SECOND_NS)
    assert plan.committee.enter_bp == 3_000
    assert plan.sizing.method == "fraction"
    assert plan.limits.daily_loss_bp == 77
    assert plan.costs.taker_ppm == 3_000
    assert plan.style.offset_ppm == 500
    (seat,) = plan.seats
    assert (seat.name, seat.weight_bp, seat.warm_up, seat.reasons) == ("fake", 10_000, 30, ("up", "down"))
    assert type(plan.weigher).__name__ == "WeightedWeigher"
    assert {p.name for p in ready.plugins} == {"core", "fake"}
    assert ready.steps_from() == {"BTC/USD": "tick and lot inferred"}


def test_instruments_are_sorted_and_each_has_an_agent_of_its_own(
    profile: Profiles, fake: Fake, bars: Callable[..., Path]
) -> None:
    fake("    decide = lambda self, state: HOLD\n    def warm_up(self): return 40", declared="warm_up=30")
    files = [
        {"symbol": "ETH/USD", "file": str(bars("e.csv", scale=0.5)), "tick": "0.01"},
        {"symbol": "BTC/USD", "file": str(bars("b.csv")), "tick": "0.01", "lot": "0.1"},
    ]
    ready = assemble(profile(instruments=files), label="p")
    assert [b.instrument.symbol for b in ready.plan.bars] == ["BTC/USD", "ETH/USD"]
    assert [one.bars.instrument.symbol for one in ready.loaded] == ["BTC/USD", "ETH/USD"]
    agents = ready.plan.seats[0].agents
    assert len(agents) == 2
    assert agents[0] is not agents[1]
    assert ready.plan.seats[0].warm_up == 40, "the object's own, where it is larger"
    assert ready.steps_from() == {"BTC/USD": "given", "ETH/USD": "lot inferred"}


@pytest.mark.parametrize("key", ["file", "funding"])
def test_a_file_that_no_record_can_name_is_refused_before_its_run(
    key: str, profile: Profiles, fake: Fake, bars: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    folder = tmp_path / "\udcff"
    folder.mkdir()
    (folder / "x.csv").write_bytes(bars().read_bytes())
    monkeypatch.chdir(folder)
    instrument = {"symbol": "BTC/USD", "file": str(bars()), "tick": "0.01", key: "x.csv"}
    said = refused(profile(instruments=[instrument]), ProfileError)
    assert "x.csv' is not text: rename it, or its folder, in UTF-8" in said


def test_a_start_after_the_last_bar_is_refused(profile: Profiles, fake: Fake) -> None:
    fake()
    with pytest.raises(ProfileError, match=r"p: start is 2030-01-01T00:00:00Z, but the bars end at .*: start earlier"):
        assemble(profile(start="2030-01-01T00:00:00Z"), label="p")


def test_a_recording_stands_in_for_the_profiles_own_source(
    profile: Profiles, fake: Fake, bars: Callable[..., Path]
) -> None:
    fake()
    ready = assemble(profile(), label="p", recordings={"BTC/USD": bars("other.csv", 77)})
    assert len(ready.plan.bars[0]) == 77
    assert ready.recordings["BTC/USD"].name == "other.csv"


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"plugins": ["fke"]}, UnknownNameError, "unknown plugin 'fke': did you mean 'fake'?"),
        ({"plugins": []}, UnknownNameError, "add 'fake' to plugins"),
        (
            {"agents": [{"name": "fak", "weight_bp": 10_000}]},
            UnknownNameError,
            "unknown agent 'fak': did you mean 'fake'?",
        ),
        ({"committee": {"weigher": "weigthed"}}, UnknownNameError, "did you mean 'weighted'?"),
        (
            {"committee": {"settings": {"x": 1}}},
            ProfileError,
            "committee.settings holds x, but 'weighted' has no settings: remove them",
        ),
        (
            {"agents": [{"name": "fake", "weight_bp": 10_000, "settings": {"b": 1, "a": 2}}]},
            ProfileError,
            "agents.fake.settings holds a, b, but 'fake' has no settings: remove them",
        ),
        (
            {"agents": [{"name": "fake", "id": f"s{i}", "weight_bp": 10_000 if i == 0 else 0} for i in range(63)]},
            ProfileError,
            "profile p seats 63 agents, but a committee has at most 62: seat fewer",
        ),
    ],
)
def test_names_and_settings_that_do_not_fit(
    profile: Profiles, fake: Fake, fields: dict[str, Any], kind: type[CoinswarmError], said: str
) -> None:
    fake()
    assert said in refused(profile(**fields), kind)


@pytest.mark.parametrize(
    ("declared", "kind", "said"),
    [
        ('role="risk"', NotReadyError, "has the role 'risk', which no session seats yet"),
        ('role="execution"', NotReadyError, "has the role 'execution'"),
        ('scope="universe"', NotReadyError, "looks at the whole universe"),
        ('needs=frozenset({"memory", "book"})', NotReadyError, "needs book, which no session offers yet"),
        ('needs=frozenset({"memory"})', NotReadyError, "needs memory, and profile p has none: add [memory]"),
        ("bar_seconds=60", ProfileError, "is made for bars of 60 s, the data has 3600 s"),
    ],
)
def test_a_declaration_that_no_session_can_serve_yet(
    profile: Profiles, fake: Fake, declared: str, kind: type[CoinswarmError], said: str
) -> None:
    fake(declared=declared)
    assert f"agent 'fake' {said}" in refused(profile(), kind)


def test_an_agent_for_just_this_bar_length_is_seated(profile: Profiles, fake: Fake) -> None:
    fake(declared="bar_seconds=3600")
    assert len(assemble(profile(), label="p").plan.seats) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "    def __init__(self): raise ValueError('bad day')\n    def decide(self, state): return HOLD",
            "cannot be constructed (ValueError: bad day)",
        ),
        (
            "    def __init__(self): raise SystemExit(3)\n    def decide(self, state): return HOLD",
            "cannot be constructed (SystemExit: 3)",
        ),
        (
            "    def warm_up(self): raise KeyError('x')\n    def decide(self, state): return HOLD",
            "warm_up() raised KeyError: 'x'",
        ),
        ("    def warm_up(self): return 'x'\n    def decide(self, state): return HOLD", "warm_up() raised ValueError"),
        ("    pass", "does not implement decide"),
    ],
)
def test_a_class_that_breaks_its_contract(profile: Profiles, fake: Fake, body: str, said: str) -> None:
    fake(body)
    text = refused(profile(), ContractError)
    assert said in text
    assert "plugin 'fake' (fake-fake 1.0)" in text


def test_a_plugins_own_complaint_is_passed_on(profile: Profiles, fake: Fake) -> None:
    fake(
        "    def __init__(self):\n        from coinswarm.errors import ContractError\n"
        "        raise ContractError('no model file', remedy='reinstall fake')\n"
        "    def decide(self, state): return HOLD"
    )
    assert refused(profile(), ContractError) == "no model file: reinstall fake"


def test_settings_are_checked_by_the_agents_own_model(profile: Profiles, fake: Fake) -> None:
    fake(
        "    def __init__(self, settings): self.settings = settings\n    def decide(self, state): return HOLD\n"
        "    def warm_up(self): return self.settings.window",
        settings="window: int = 5",
    )

    def seated(**settings: object) -> Any:  # noqa: ANN401
        return profile(agents=[{"name": "fake", "weight_bp": 10_000, "settings": settings}])

    assert assemble(seated(window=9), label="p").plan.seats[0].warm_up == 9
    assert assemble(seated(), label="p").plan.seats[0].warm_up == 5
    said = refused(seated(windw=9), ProfileError)
    assert said == "profile p: unknown key 'agents.fake.settings.windw': did you mean 'window'?"
    assert "agents.fake.settings.window" in refused(seated(window="wide"), ProfileError)


def test_a_weigher_of_a_plugin(profile: Profiles, fake: Fake, site: Any) -> None:  # noqa: ANN401
    fake(
        hooks='@hookimpl\ndef coinswarm_weighers():\n    yield WeigherType(name="odd", summary="Odd.", '
        'target="fake_fake.weigher:Odd")\n'
    )
    (site.folder / "fake_fake" / "weigher.py").write_text(
        "from coinswarm.contracts import Weigher\n\n\nclass Odd(Weigher):\n    def step(self, row, weights): ...\n"
    )
    plan = assemble(profile(committee={"weigher": "odd"}), label="p").plan
    assert type(plan.weigher).__name__ == "Odd"


# -- data


def test_instruments_of_different_bar_lengths(profile: Profiles, fake: Fake, bars: Callable[..., Path]) -> None:
    fake()
    files = [
        {"symbol": "BTC/USD", "file": str(bars("b.csv"))},
        {"symbol": "ETH/USD", "file": str(bars("e.csv", seconds=60))},
    ]
    said = refused(profile(instruments=files), DataError)
    assert "instruments differ in bar length (BTC/USD 1:00:00, ETH/USD 0:01:00)" in said


def test_no_bars_at_all(profile: Profiles, fake: Fake) -> None:
    fake()
    assert "BTC/USD has no bars: set file or sample" in refused(profile(mode="paper"), DataError)


@pytest.mark.parametrize(
    ("steps", "cash", "said"),
    [
        ({"tick": "1000"}, 100, "prices down to 89.5 come to no tick of 1000: choose a finer tick"),
        ({"tick": "0.0000000000000001"}, 100, "choose a coarser tick or lot"),
        ({"tick": "0.001", "lot": "0.0000000000001"}, 40_000_000_000, "choose a coarser"),
    ],
)
def test_steps_that_integers_cannot_hold(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], steps: dict[str, str], cash: int, said: str
) -> None:
    fake()
    files = [{"symbol": "BTC/USD", "file": str(bars()), **steps}]
    assert said in refused(profile(instruments=files, cash=cash), DataError)


def test_cash_that_buys_more_lots_than_fit(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same check as the kernel's bound, met from the side of the cash."""
    fake()
    files = [{"symbol": "BTC/USD", "file": str(bars()), "tick": "0.01", "lot": "1"}]
    monkeypatch.setattr(RunPlan, "max_lots", lambda _self, _k: 100)
    assert assemble(profile(instruments=files, cash=10_000), label="p").plan.cash == 10_000 * 10**8
    said = refused(profile(instruments=files, cash=11_000), DataError)
    assert "the cash buys more lots of 1 than fit in 64 bits: choose a coarser lot, or less cash" in said


def test_prices_that_do_not_fit(profile: Profiles, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake()
    monkeypatch.setattr(RunPlan, "max_lots", lambda _self, _k: 0)
    assert "do not fit in 64 bits: choose a coarser tick or lot" in refused(profile(), DataError)


def test_a_funding_file_is_loaded_by_symbol(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake()
    (tmp_path / "funding.csv").write_text("time,rate\n2018-01-01T08:00:00Z,0.0001\n2018-01-01T16:00:00Z,-0.00005\n")
    files = [{"symbol": "BTC/USD", "file": str(bars()), "funding": str(tmp_path / "funding.csv"), "shortable": True}]
    funding = assemble(profile(instruments=files), label="p").plan.funding
    assert funding["BTC/USD"].rate_ppb.tolist() == [100_000, -50_000]
    assert funding["BTC/USD"].times_ns.tolist() == [(1_514_764_800 + h * 3_600) * SECOND_NS for h in (8, 16)]


# -- the operator's decisions about plugins


def test_what_was_found_of_the_plugins_is_remembered(
    profile: Profiles, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    fake()
    assemble(profile(), label="p")
    assert any("fake" in file.read_text() for file in (tmp_path / "home").rglob("*") if file.is_file())


def test_without_any_home_a_profile_is_assembled_all_the_same(
    profile: Profiles, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()

    def homeless() -> Path:
        message = "there is no home"
        raise NotReadyError(message)

    monkeypatch.setattr("coinswarm.runtime.admission.home", homeless)
    assert len(assemble(profile(), label="p").plan.seats) == 1


def test_in_strict_mode_a_broken_plugin_stops_everything(
    profile: Profiles,
    fake: Fake,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake()
    site.add("broken", "import no_such_module_anywhere")
    with pytest.raises(LoadError):
        assemble(profile(plugins=["fake", "broken"]), label="p")
    assert len(assemble(profile(), label="p").plan.seats) == 1, "a broken plugin that nobody names is no hindrance"
    monkeypatch.setenv(STRICT, "1")
    with pytest.raises(LoadError, match="broken"):
        assemble(profile(), label="p")


def test_ctrl_c_while_an_agent_is_asked_is_not_its_fault(profile: Profiles, fake: Fake) -> None:
    fake("    def warm_up(self): raise KeyboardInterrupt\n    def decide(self, state): return HOLD")
    with pytest.raises(KeyboardInterrupt):
        assemble(profile(), label="p")
