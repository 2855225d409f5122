"""What gold looked at is counted like a backtest: once for each variant, and against every other one (S23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.domain.action import ActionColumns
from coinswarm.errors import OutputError
from coinswarm.plugins.records import Origin, PluginRecord, Status
from coinswarm.runtime.trials import TRIAL_SCHEMA, TrialRegistry
from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.evidence.gather import Evidence, declared_trials, leave_trials
from coinswarm_testkit.evidence.looks import SOURCE, registered, variant_of
from coinswarm_testkit.evidence.record import WHOLE, record
from coinswarm_testkit.gate import judging
from coinswarm_testkit.gate.request import Request
from coinswarm_testkit.markets.recorded import samples
from coinswarm_testkit.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.checks import Check
    from coinswarm_testkit.evidence.record import Record
    from coinswarm_testkit.verdicts import Outcome

PLUGIN = PluginRecord(
    name="trend",
    distribution="coinswarm-trend",
    version="1.0",
    target="coinswarm_trend.plugin",
    origin=Origin.WHEEL,
    status=Status.ENABLED,
)
SUBJECT = Subject("trend", "coinswarm_trend.agent:Trend", settings={"fast": 20})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of the test's own."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def looked(bench: Bench) -> tuple[Record, ...]:
    """Real records of a position that is held half of the time."""
    found = []
    for market in samples():
        side = np.where(np.arange(len(market.bars)) % 40 < 20, 1, 0)
        said = ActionColumns.of(market.bars.instrument, side, stop_distance=0.05 * market.bars.close)
        seen = registered(bench.variant, declared=declared_trials(bench) is not None)
        found.append(record(market, said, part=WHOLE, warm_up=0, seen=seen, declared=declared_trials(bench)))
    return tuple(found)


def check(variant: str, trials: int | None = 1) -> list[int | None]:
    """Have the evidence measured and registered; how many trials it counted, by market."""
    with LocalBench(SUBJECT, trials=trials, variant=variant) as bench:
        records = looked(bench)
        bench.kept["evidence"] = Evidence(0, {}, records)
        leave_trials(bench, PLUGIN)
    return [one.admission.trials for one in records]


def test_a_look_at_another_variant_is_another_trial() -> None:
    assert check("a") == [1, 1]
    assert check("b") == [2, 2]
    assert check("c") == [3, 3]
    assert len(TrialRegistry().all()) == 6


def test_the_same_look_twice_is_one_trial() -> None:
    check("a")
    assert check("a") == [1, 1]
    assert check("b") == check("b") == [2, 2]
    assert len(TrialRegistry().all()) == 4


def test_looks_alone_make_nothing_known() -> None:
    """Who says nothing of what he tried, and ran no backtest, is not taken for one who tried little."""
    check("a")
    assert check("b", None) == [None, None]
    day = int(samples()[0].bars.open_ns[0] // 86_400_000_000_000)
    backtest = {"schema": TRIAL_SCHEMA, "id": "c", "first_day": day, "instruments": ["BTC/USD"], "variant": "c"}
    TrialRegistry().add(backtest, np.full(700, 0.001))
    assert check("d", None) == [4, None]


def test_a_trial_says_what_it_was() -> None:
    check("a")
    [bitcoin, ether] = sorted(TrialRegistry().all(), key=lambda one: str(one.record["instruments"]))
    assert (bitcoin.record["instruments"], ether.record["instruments"]) == (["BTC/USD"], ["ETH/USD"])
    assert (bitcoin.record["source"], bitcoin.record["label"]) == (SOURCE, "plugins check trend")
    assert (bitcoin.record["from"], bitcoin.record["to"], len(bitcoin.returns)) == ("2017-01-01", "2019-01-01", 730)
    assert bitcoin.record["agents"][0]["seat"] == "trend"
    assert bitcoin.record["plugins"] == [{"name": "trend", "distribution": "coinswarm-trend", "version": "1.0"}]


@pytest.mark.parametrize("variant", ["", "a"])
def test_nothing_is_left_where_nothing_was_looked_at_or_nothing_is_registered(variant: str) -> None:
    with LocalBench(SUBJECT, variant=variant) as bench:
        if not variant:
            bench.kept["evidence"] = Evidence(0, {}, looked(bench))
        leave_trials(bench, PLUGIN)
    assert TrialRegistry().all() == []


def test_a_look_that_cannot_be_registered_ends_the_check(home: Path) -> None:
    home.mkdir()
    (home / "trials").write_text("a file")
    with LocalBench(SUBJECT, variant="a") as bench:
        bench.kept["evidence"] = Evidence(0, {}, looked(bench))
        with pytest.raises(OutputError, match=r"trials cannot be written.*make room or mend its rights"):
            leave_trials(bench, PLUGIN)


def package(root: Path, name: str, text: str = "A = 1\n", *, single: bool = False) -> Subject:
    """An object of a package, or of a module that is one file."""
    place = root / f"{name}.py" if single else root / name / "agent.py"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    if not single:
        (place.parent / "__init__.py").touch()
    return Subject("x", f"{name}:A" if single else f"{name}.agent:A", settings={"fast": 1})


@pytest.mark.parametrize("single", [False, True])
def test_an_edit_or_another_setting_makes_another_variant(tmp_path: Path, single: bool) -> None:  # noqa: FBT001 - a case
    subject = package(tmp_path, "edited_agent", single=single)
    first = variant_of(subject, [str(tmp_path)])
    assert variant_of(subject, [str(tmp_path)]) == first
    package(tmp_path, "edited_agent", "A = 2\n", single=single)
    second = variant_of(subject, [str(tmp_path)])
    other = Subject("x", subject.target, settings={"fast": 2})
    assert len({first, second, variant_of(other, [str(tmp_path)])}) == 3


def test_what_python_compiled_makes_none(tmp_path: Path) -> None:
    subject = package(tmp_path, "compiled_agent")
    before = variant_of(subject, [str(tmp_path)])
    (tmp_path / "compiled_agent" / "__pycache__").mkdir()
    (tmp_path / "compiled_agent" / "__pycache__" / "agent.cpython-311.pyc").write_bytes(b"x")
    assert variant_of(subject, [str(tmp_path)]) == before


def test_a_package_that_is_nowhere_is_told_apart_by_its_name() -> None:
    assert variant_of(Subject("x", "no_such_package.a:A")) != variant_of(Subject("x", "no_other_package.a:A"))


@pytest.mark.parametrize(("kept", "left"), [(True, 2), (False, 0)])
def test_the_judge_registers_where_it_keeps_certificates(
    kept: bool,  # noqa: FBT001 - a case
    left: int,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The checks are stood in for by their measurement: it takes half a minute."""

    def judge(bench: Bench, checks: Sequence[Check], **_: Any) -> Iterator[Outcome]:  # noqa: ANN401, ARG001 - its form
        bench.kept["evidence"] = Evidence(0, {}, looked(bench))
        yield from ()

    monkeypatch.setattr(judging, "judge", judge)
    request = Request(plugin="trend", tier="gold", only=("A80",), home=str(home) if kept else "", trials=1)
    judging.judged(request, lambda _: None)
    assert len(TrialRegistry().all()) == left
