"""The trial registry: what counts as tried, by whom at once, and what its faults cost (nothing but itself)."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.config.profile import load_profile
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import Action, Side
from coinswarm.errors import DataError, NotReadyError, UnknownNameError
from coinswarm.runtime import trials as module
from coinswarm.runtime.assembly import Given
from coinswarm.runtime.runs import backtest
from coinswarm.runtime.trials import TrialRegistry, code_digest

if TYPE_CHECKING:
    from pathlib import Path

    from coinswarm.domain.market import MarketState
    from coinswarm.runtime.runs import Finished

integration = pytest.mark.integration


@pytest.fixture
def registry(tmp_path: Path) -> TrialRegistry:
    return TrialRegistry(tmp_path / "trials")


def tried(registry: TrialRegistry | None, *overrides: str, sample: str = "BTC/USD") -> Finished:
    """A backtest on the shipped bars of one instrument."""
    one = f'instruments=[{{symbol="{sample}", sample="{sample}", tick=0.01, lot=0.001}}]'
    profile = load_profile("demo", [one, 'start="2018-06-01T00:00:00Z"', *overrides])
    return backtest(profile, label="demo", runs=None, trials=registry)


def count(finished: Finished) -> int | None:
    found: int | None = finished.summary["evidence"]["trials"]["count"]
    return found


@integration
def test_the_same_variant_counts_once_and_another_again(registry: TrialRegistry) -> None:
    first = tried(registry)
    assert count(first) == 1
    assert count(tried(registry)) == 1
    assert count(tried(registry, "seed=99")) == 1  # of the intervals: no order depends on it
    assert count(tried(registry, "agents.trend.settings.fast=10")) == 1  # the default, spelled out
    word = f'agent="trend", digest="sha256:{"0" * 64}", reason="r", cap_quote=1, expires="2999-01-01T00:00:00Z"'
    assert count(tried(registry, f"accept_evidence=[{{{word}}}]")) == 1  # who may trade, not what
    assert count(tried(registry, "agents.trend.settings.fast=11")) == 2
    assert count(tried(registry, "costs.taker_bps=12")) == 3
    assert count(tried(registry, 'start="2018-07-01T00:00:00Z"')) == 4  # another span of the same history
    assert count(tried(registry, sample="ETH/USD")) == 1
    assert len(registry.paths()) == 5
    assert first.result.order_hash == tried(None).result.order_hash


@integration
def test_a_trial_is_found_by_instrument_and_time(registry: TrialRegistry) -> None:
    tried(registry, 'start="2018-12-01T00:00:00Z"')
    stored = registry.all()[0]
    first, days = stored.record["first_day"], len(stored.returns)
    assert (stored.record["from"], stored.record["to"]) == ("2018-12-01", "2019-01-01")
    for begin, length, meets in [(first, days, True), (first - 9, 9, False), (first - 9, 10, True),
                                 (first + days - 1, 5, True), (first + days, 5, False)]:  # fmt: skip
        assert stored.meets(["BTC/USD", "X/USD"], begin, length) is meets
    assert not stored.meets(["ETH/USD"], first, days)


@integration
def test_a_bar_less_makes_no_new_trial(registry: TrialRegistry, tmp_path: Path) -> None:
    """The key is instrument and time: a data digest would begin anew with every dropped bar."""
    rng = np.random.Generator(np.random.PCG64(3))
    close = 100 * np.cumprod(1 + rng.normal(0, 0.01, 2_000))
    lines = [
        f"{1_514_764_800_000 + i * 3_600_000},{x:.2f},{x * 1.01:.2f},{x * 0.99:.2f},{x:.2f},50"
        for i, x in enumerate(close)
    ]
    head = "timestamp_ms,open,high,low,close,volume"
    for name, rows in (("whole", lines), ("dropped", lines[:900] + lines[901:])):
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join([head, *rows]) + "\n")
        one = f'instruments=[{{symbol="BTC/USD", file="{path}", tick=0.01, lot=0.001}}]'
        for fast in (8, 9):
            profile = load_profile("demo", [one, f"agents.trend.settings.fast={fast}"])
            finished = backtest(profile, label="demo", runs=None, trials=registry)
            assert count(finished) == (1 if (name, fast) == ("whole", 8) else 2)
    assert len(registry.paths()) == 2


@integration
def test_what_is_declared_counts_where_it_is_more(registry: TrialRegistry) -> None:
    evidence = tried(registry, "evidence.declared_trials=30").summary["evidence"]
    assert [evidence["trials"][key] for key in ("count", "registry", "declared")] == [30, 1, 30]
    assert evidence["dsr"]["value"] < evidence["psr"]["value"]
    assert count(tried(None, "evidence.declared_trials=30")) == 30


@integration
def test_without_a_registry_the_count_is_unknown(registry: TrialRegistry) -> None:
    finished = tried(None)
    assert count(finished) is None
    assert finished.summary["evidence"]["complete"] is False
    assert registry.paths() == []


@integration
def test_the_returns_are_those_of_the_run(registry: TrialRegistry) -> None:
    finished = tried(registry)
    stored = registry.all()[0]
    growth = np.prod(1 + stored.returns)
    final = float(finished.summary["equity"]["final"]) / float(finished.summary["equity"]["start"])
    assert growth == pytest.approx(final, rel=1e-12)
    assert stored.record["order_hash"] == finished.result.order_hash
    assert len(stored.returns) == stored.record["days"] == finished.summary["period"]["days"]


def damage(registry: TrialRegistry) -> None:
    path = registry.paths()[0]
    path.write_text(path.read_text().replace('"days": ', '"days": 1'))


def scribble(registry: TrialRegistry) -> None:
    (registry.root / "x.json").write_text("[]")


def truncate(registry: TrialRegistry) -> None:
    path = registry.paths()[0]
    path.write_bytes(path.read_bytes()[:100])


@integration
@pytest.mark.parametrize("harm", [damage, scribble, truncate])
def test_a_corrupt_entry_costs_the_count_and_not_the_run(registry: TrialRegistry, harm: Any, tmp_path: Path) -> None:  # noqa: ANN401 - one of the functions above
    whole = tried(registry)
    harm(registry)
    one = load_profile("demo", ["agents.trend.settings.fast=13"])
    finished = backtest(one, label="demo", runs=tmp_path / "runs", trials=registry)
    assert finished.path is not None
    assert count(finished) is None
    faults = [line for line in finished.summary["warnings"] if "trial" in line]
    assert len(faults) == 1
    assert "trials are not counted, the evidence is incomplete" in faults[0]
    assert ".json" in faults[0]
    assert count(tried(registry, "evidence.declared_trials=1")) is None  # there may be more in what cannot be read
    assert whole.summary["evidence"]["complete"] is True


@integration
@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "/there"), OSError(28, "No space left")])
def test_a_folder_that_cannot_be_written(
    registry: TrialRegistry, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", refuse)
    finished = tried(registry)
    assert count(finished) is None
    assert any(str(error.strerror) in line for line in finished.summary["warnings"])
    assert list(registry.root.iterdir()) == []


@integration
def test_a_registry_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finished = tried(TrialRegistry(tmp_path / "file"))
    assert count(finished) is None
    assert sum("trial registry" in line for line in finished.summary["warnings"]) == 1


@integration
def test_no_home_and_an_unforeseen_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> None:
        message = "no home"
        raise NotReadyError(message)

    monkeypatch.setattr(module, "home", homeless)
    assert count(tried(TrialRegistry())) is None
    monkeypatch.setattr(module, "describe", lambda *_: 1 / 0)
    assert any("ZeroDivisionError" in line for line in tried(TrialRegistry()).summary["warnings"])


@integration
def test_a_file_system_without_links(registry: TrialRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    assert count(tried(registry)) == 1
    assert len(list(registry.root.iterdir())) == 1


@integration
def test_what_a_killed_process_left_does_not_count_and_goes(registry: TrialRegistry) -> None:
    registry.root.mkdir()
    old, new = registry.root / ".tmp-1-a", registry.root / ".tmp-2-b"
    old.touch()
    new.touch()
    os.utime(old, ns=(0, 0))
    assert count(tried(registry)) == 1
    assert (old.exists(), new.exists()) == (False, True)


def write_many(root: Path, first: int) -> None:
    """Forty trials, of which the next writer writes half again."""
    registry = TrialRegistry(root)
    for number in range(first, first + 40):
        registry.add({"schema": module.TRIAL_SCHEMA, "id": f"{number:04d}"}, np.full(500, float(number)))


def test_processes_write_at_once(registry: TrialRegistry) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(registry.root, first)) for first in (0, 20, 40)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert [trial.record["id"] for trial in registry.all()] == [f"{number:04d}" for number in range(80)]
    assert len(list(registry.root.iterdir())) == 80


def test_finding(registry: TrialRegistry) -> None:
    with pytest.raises(NotReadyError, match="there is no trial"):
        registry.find("a")
    for name in ("abc1", "abd2"):
        registry.add({"schema": module.TRIAL_SCHEMA, "id": name}, np.zeros(3))
    assert registry.find("abc").record["id"] == "abc1"
    with pytest.raises(UnknownNameError, match=r"2 trials in .* begin with 'ab'"):
        registry.find("ab")
    with pytest.raises(UnknownNameError, match=r"no trials in .* begin with 'abc2'"):
        registry.find("abc2")
    assert registry.add({"schema": module.TRIAL_SCHEMA, "id": "abc1"}, np.ones(3)) is False
    assert registry.find("abc1").returns.tolist() == [0, 0, 0]
    (registry.root / "abe3.json").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        registry.find("abe")


def test_edited_code_is_another_variant(site: Any, registry: TrialRegistry) -> None:  # noqa: ANN401 - conftest's Site
    """An agent's version seldom changes while its author tries things."""
    assert registry.paths() == []
    site.add("tuned")
    path = site.folder / "fake_tuned" / "agent.py"
    import fake_tuned.agent  # type: ignore[import-not-found]  # noqa: PLC0415 - written a line ago

    before = code_digest(fake_tuned.agent.Fake)
    assert before == code_digest(fake_tuned.agent.Fake) != ""
    path.write_text(path.read_text() + "X = 1\n")
    edited = code_digest(fake_tuned.agent.Fake)
    assert edited != before
    (path.parent / "__pycache__").mkdir(exist_ok=True)
    (path.parent / "__pycache__" / "left").write_text("by Python")
    assert code_digest(fake_tuned.agent.Fake) == edited
    (path.parent / "model.json").write_text("[0.1, 0.2]")
    trained = code_digest(fake_tuned.agent.Fake)
    (path.parent / "model.json").write_text("[0.1, 0.3]")
    assert len({edited, trained, code_digest(fake_tuned.agent.Fake)}) == 3


@integration
def test_a_package_is_read_once_for_all_its_seats(
    site: Any,  # noqa: ANN401 - conftest's Site
    registry: TrialRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site.add("often")
    import fake_often.agent  # type: ignore[import-not-found]  # noqa: PLC0415 - written a line ago

    seen: list[str] = []
    real = module.package_files

    def seeing(root: Path) -> Any:  # noqa: ANN401 - paths
        seen.append(root.name)
        return real(root)

    monkeypatch.setattr(module, "package_files", seeing)
    other = type("Other", (), {"__module__": "fake_often.other"})
    read: dict[str, str] = {}
    assert code_digest(fake_often.agent.Fake, read) == code_digest(other, read) == code_digest(other)
    assert seen == ["fake_often", "fake_often"], "once with what was read, and once without"
    assert code_digest(type("Nowhere", (), {"__module__": "nowhere"}), read) == ""
    assert [*read] == ["fake_often"], "what has no files is of one class alone"
    seen.clear()
    agents = 'agents=[{name="trend", id="a", weight_bp=5000}, {name="trend", id="b", weight_bp=5000}]'
    tried(registry, agents, 'plugins=["trend"]', 'start="2018-12-01T00:00:00Z"')
    assert seen == ["coinswarm_trend"]


def test_a_helper_beside_a_class_is_part_of_its_code(site: Any) -> None:  # noqa: ANN401 - conftest's Site
    """A package may be one file."""
    path = site.folder / "one_file.py"
    path.write_text("def level():\n    return 1\n\n\nclass Fake:\n    pass\n")
    import one_file  # type: ignore[import-not-found]  # noqa: PLC0415 - written a line ago

    before = code_digest(one_file.Fake)
    path.write_text(path.read_text().replace("return 1", "return 2"))
    assert before != code_digest(one_file.Fake) != ""


WEIGHER = """\
from coinswarm.contracts import Weigher
from coinswarm.domain.intent import Exposure


class Mine(Weigher):
    def step(self, row, weights):
        total = sum(w * d * c for w, d, c in zip(weights, row.direction, row.confidence_bp))
        return Exposure(total // 10_000 // 1, sum(w for w, there in zip(weights, row.present) if there))
"""


@integration
def test_an_edited_weigher_is_another_variant(registry: TrialRegistry, site: Any) -> None:  # noqa: ANN401
    site.add(
        "mine",
        """
        @hookimpl
        def coinswarm_weighers():
            yield WeigherType(name="mine", summary="Fake.", target="fake_mine.weigher:Mine")
        """,
    )
    path = site.folder / "fake_mine" / "weigher.py"
    path.write_text(WEIGHER)
    told = []
    for divisor in (1, 1, 2):
        text = WEIGHER.replace("// 1,", f"// {divisor},")
        path.write_text(text + "#" * divisor)  # of another size, or bytecode of the same second would count
        for name in [name for name in sys.modules if name.startswith("fake_mine")]:
            del sys.modules[name]
        mine = 'plugins=["trend", "meanrev", "mine"]', 'committee={weigher="mine"}', 'start="2018-12-01T00:00:00Z"'
        told.append(tried(registry, *mine))
    assert told[0].result.order_hash != told[2].result.order_hash
    assert [count(one) for one in told] == [1, 1, 2]


class Loose(SignalAgent):
    """An agent from no plugin, with a setting that it does not tell."""

    def __init__(self, every: int) -> None:
        self.every = every

    def decide(self, state: MarketState) -> Action:
        side = Side.BUY if state.index // self.every % 2 else Side.FLAT
        return Action(side, 1.0, 0.5, 50.0)


@integration
def test_agents_from_no_plugin_count_by_what_they_ordered(registry: TrialRegistry) -> None:
    one = 'instruments=[{symbol="BTC/USD", sample="BTC/USD", tick=0.01, lot=0.001}]'
    seat = 'agents=[{name="loose", weight_bp=10000}]'
    profile = load_profile("demo", [one, seat, 'start="2018-12-01T00:00:00Z"'])
    told = []
    for every in (24, 24, 48):
        given = Given(agents={"loose": partial(Loose, every)})
        told.append(count(backtest(profile, label="notebook", runs=None, trials=registry, given=given)))
    assert told == [1, 1, 2]
    assert code_digest(Loose) != ""
    assert code_digest(type("Nowhere", (), {"__module__": "nowhere"})) == ""
    assert code_digest(SignalAgent) == ""  # nor of a function, which is wrapped in core's own class


@integration
def test_a_sweep_of_fifty_is_held_against_its_best(registry: TrialRegistry) -> None:
    """Each run knows how many came before it; the best of them is judged against all."""
    told = []
    for number in range(50):
        finished = tried(
            registry, 'start="2018-10-01T00:00:00Z"', f"agents.trend.settings.adx_entry={20 + 0.2 * number}"
        )
        told.append(finished.summary["evidence"])
    assert [evidence["trials"]["count"] for evidence in told] == list(range(1, 51))
    last = tried(registry, 'start="2018-10-01T00:00:00Z"', "agents.trend.settings.adx_entry=20").summary["evidence"]
    assert last["trials"]["count"] == 50
    sharpes = [trial.returns.mean() / trial.returns.std(ddof=1) for trial in registry.all()]
    assert last["trials"]["variance"] == pytest.approx(np.var(sharpes, ddof=1), rel=1e-9)
    table = np.corrcoef([trial.returns for trial in registry.all()])
    rho = (table.sum() - 50) / (50 * 49)
    assert last["trials"]["effective"] == np.ceil(rho + (1 - rho) * 50)
    assert last["dsr"]["value"] < told[0]["dsr"]["value"] == told[0]["psr"]["value"]


def test_a_trial_reads_as_it_was_written(registry: TrialRegistry) -> None:
    returns = np.array([0.1, -1e-300, 1 / 3, -0.0])
    registry.add({"schema": module.TRIAL_SCHEMA, "id": "x", "first_day": 7}, returns)
    stored = registry.read(registry.paths()[0])
    assert stored.returns.tobytes() == returns.astype("<f8").tobytes()
    assert replace(stored.trial, returns=stored.returns).first_day == 7
    assert json.loads(registry.paths()[0].read_text())["schema"] == "coinswarm.trial/1"
