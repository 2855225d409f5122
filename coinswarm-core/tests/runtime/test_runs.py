"""Backtests and re-executions in this process: engines agree, runs are kept, and what changed is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.backtest.runread import read_run
from coinswarm.errors import DataError, NotReadyError, OutputError
from coinswarm.runtime.runs import backtest, replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.runtime.runs import Engine

Profiles = Any
Fake = Any
ENGINES: tuple[Engine, ...] = ("columns", "steps")


def test_both_engines_give_one_hash_and_one_summary(profile: Profiles, fake: Fake) -> None:
    fake()
    one, other = (backtest(profile(), label="p", runs=None, engine=engine) for engine in ENGINES)
    assert one.result.order_hash == other.result.order_hash
    assert one.summary == other.summary
    assert one.path is None
    assert len(one.result.trades) > 3


@pytest.mark.parametrize("bp", [0, 100])
def test_days_in_a_small_currency_are_traded_alike_by_both(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], bp: int
) -> None:
    """BTC in won: a day's volume is worth a hundred times what fits, and an order is not."""
    fake()
    path = bars("won.csv", seconds=86_400, scale=1e6)
    path.write_text(path.read_text().replace(",90.5\n", ",12345.12345678\n"))
    won = {"instruments": [{"symbol": "BTC/KRW", "file": str(path)}], "cash": 10**9, "costs": {"participation_bp": bp}}
    one, other = (backtest(profile(**won), label="p", runs=None, engine=engine) for engine in ENGINES)
    assert one.result.order_hash == other.result.order_hash
    assert len(one.result.trades) > 3
    [note] = one.summary["notes"]
    assert note.startswith(
        "BTC/KRW: a bar is worth up to 1.36e+12 KRW: if that cannot be, its volume is in KRW, and its "
    )
    assert note.endswith('instrument wants volume = "quote"')


def test_a_kept_run_says_what_made_it(profile: Profiles, fake: Fake, tmp_path: Path) -> None:
    fake(declared='warm_up=3, reasons=("up",)')
    done = backtest(profile(), label="p", runs=tmp_path / "runs", engine="steps")
    assert done.path is not None
    record = read_run(done.path).record
    assert (record["mode"], record["engine"]) == ("backtest", "steps")
    assert record["agents"] == [{"seat": "fake", "weight_bp": 10_000, "warm_up": 3, "reasons": ["up"]}]
    assert [(p["name"], p["distribution"]) for p in record["plugins"]] == [
        ("core", "coinswarm-core"), ("fake", "fake-fake"),
    ]  # fmt: skip
    assert record["data"][0]["rows"] == 120
    assert {"coinswarm-core", "python", "numpy", "numba"} == set(record["made_with"])
    assert list(record["recordings"]) == ["BTC/USD"]
    assert Path(record["recordings"]["BTC/USD"]).is_absolute(), "a replay from another folder finds it"
    assert done.summary["run"] == done.path.name
    assert str(done.path) in done.summary["hints"][0]["command"]


@pytest.mark.parametrize("made", ENGINES)
@pytest.mark.parametrize("again", ENGINES)
def test_a_run_again_gives_its_hash(profile: Profiles, fake: Fake, tmp_path: Path, made: Engine, again: Engine) -> None:
    fake()
    done = backtest(profile(), label="p", runs=tmp_path / "runs", engine=made)
    assert done.path is not None
    replayed = replay(done.path, again)
    assert replayed.same
    assert replayed.again.order_hash == done.result.order_hash
    assert replayed.again is not done.result


def test_an_agent_that_changed_its_mind_gives_another_hash(
    profile: Profiles,
    fake: Fake,
    tmp_path: Path,
    site: Any,  # noqa: ANN401
) -> None:
    import sys  # noqa: PLC0415

    fake()
    done = backtest(profile(), label="p", runs=tmp_path / "runs")
    code = site.folder / "fake_fake" / "agent.py"
    code.write_text(code.read_text().replace("10.0", "3.0"))
    del sys.modules["fake_fake.agent"]
    assert done.path is not None
    assert not replay(done.path).same


def test_changed_data_is_refused(profile: Profiles, fake: Fake, tmp_path: Path, bars: Callable[..., Path]) -> None:
    fake()
    done = backtest(profile(), label="p", runs=tmp_path / "runs")
    bars(count=121)
    assert done.path is not None
    with pytest.raises(DataError, match=r"the data of BTC/USD has changed since run .*: restore the file with SHA-256"):
        replay(done.path)


def test_an_altered_run_is_refused(profile: Profiles, fake: Fake, tmp_path: Path) -> None:
    fake()
    done = backtest(profile(), label="p", runs=tmp_path / "runs")
    assert done.path is not None
    file = done.path / "fills.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(DataError, match=r"fills\.npy was altered or damaged"):
        replay(done.path)


def test_a_live_profile_is_no_backtest(profile: Profiles, fake: Fake) -> None:
    fake()
    with pytest.raises(NotReadyError, match="p is a live profile: backtest a profile with mode"):
        backtest(profile(mode="live"), label="p", runs=None)


def test_output_is_tried_before_anything_is_loaded(profile: Profiles, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="no run can be written"):
        backtest(profile("not-installed"), label="p", runs=tmp_path / "file" / "runs")


def test_notes_tell_of_raising_agents_and_shorts(profile: Profiles, fake: Fake, bars: Callable[..., Path]) -> None:
    fake(
        "    def decide(self, state):\n        if state.index % 4 == 3: raise RuntimeError('no\\nmore')\n"
        "        return Action(Side.SELL, 1.0, 0.5, 5.0)\n"
    )
    files = [{"symbol": "BTC/USD", "file": str(bars()), "shortable": True}]
    for engine in ENGINES:
        done = backtest(profile(instruments=files), label="p", runs=None, engine=engine)
        said = str(done.summary)
        told = [line for line in (*done.summary["notes"], *done.summary["warnings"]) if "fake failed" in line]
        first = "RuntimeError: no more (bar of 2018-01-01T03:00:00Z)"
        assert told == [f"fake failed 30 times, and abstained where it had to decide; first {first}"]
        assert "not tradable live while live is spot" in said


def test_a_maker_fee_above_the_taker_fee_is_told(profile: Profiles, fake: Fake) -> None:
    fake()
    swapped = profile(costs={"maker_bps": "10.5", "taker_bps": 2})
    notes = backtest(swapped, label="p", runs=None).summary["notes"]
    assert [note for note in notes if "fee" in note] == [
        "the maker fee of 10.5 bps is above the taker fee of 2 bps: venues charge makers less; were the two swapped?"
    ]
    assert not [note for note in backtest(profile(), label="p", runs=None).summary["notes"] if "fee" in note]


def test_bars_of_another_pair_are_told(profile: Profiles, fake: Fake, bars: Callable[..., Path]) -> None:
    fake()
    other = {"symbol": "BTC/USD", "file": str(bars("ETHUSD_1h.csv"))}
    done = backtest(profile(instruments=[other]), label="p", runs=None)
    assert "BTC/USD: its bars come from a file that names ETH/USD; is it the right one?" in done.summary["notes"]
    right = {"symbol": "BTC/USD", "file": str(bars("BTC_USD.csv"))}
    assert not [
        note
        for note in backtest(profile(instruments=[right]), label="p", runs=None).summary["notes"]
        if "names" in note
    ]


def test_a_funding_file_without_payments_for_days_of_its_bars_is_told(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake()
    file = tmp_path / "funding.csv"
    files = [{"symbol": "BTC/USD", "file": str(bars()), "funding": str(file)}]  # 2018-01-01 to 2018-01-06
    for hours, days in (
        (range(8, 120, 8), None),
        ((30, *range(32, 120, 8)), "1.2"),
        (range(8, 48, 8), "3.3"),
        ((*range(8, 40, 8), *range(80, 120, 8)), "2.0"),
        ((-24, 9_000), "5.0"),
    ):
        file.write_text("".join(f"{1_514_764_800 + hour * 3_600},0.0001\n" for hour in hours))
        notes = backtest(profile(instruments=files), label="p", runs=None).summary["notes"]
        told = (
            [f"BTC/USD: for {days} of the 5.0 days that it is traded its funding file has no payment"] if days else []
        )
        assert [note for note in notes if "funding" in note] == told
    file.write_text("2018-01-03T08:00:00Z,0.0001\n2018-01-04T00:00:00Z,0.0001\n")
    late = backtest(profile(instruments=files, start="2018-01-03T00:00:00Z"), label="p", runs=None).summary["notes"]
    assert "BTC/USD: for 2.0 of the 3.0 days that it is traded its funding file has no payment" in late


def test_a_warm_up_that_never_ends_is_told(profile: Profiles, fake: Fake) -> None:
    fake(declared="warm_up=121")
    notes = backtest(profile(), label="p", runs=None).summary["notes"]
    assert "fake never decided on BTC/USD: its warm-up takes 121 bars, and there are 120" in notes
    assert not [note for note in notes if "never decided on ETH" in note]


def test_a_tick_coarser_than_the_prices_is_told(profile: Profiles, fake: Fake, bars: Callable[..., Path]) -> None:
    fake()
    coarse = {"symbol": "BTC/USD", "file": str(bars()), "tick": "0.1", "lot": "0.1"}
    notes = backtest(profile(instruments=[coarse]), label="p", runs=None).summary["notes"]
    assert any("of 480 prices of the file were rounded to the tick 0.1" in note for note in notes)
    notes = backtest(profile(), label="p", runs=None).summary["notes"]
    assert not any("rounded" in note for note in notes)
