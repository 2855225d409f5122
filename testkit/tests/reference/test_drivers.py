"""The embedded drivers and the reference broker fail no check; what a trial needs is given, or told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coinswarm.drivers import neighbours
from coinswarm.errors import UnknownNameError
from coinswarm_testkit.bench import LocalBench, RemoteBench
from coinswarm_testkit.checks.drivers import arena
from coinswarm_testkit.installed import installed
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge, tier_of
from coinswarm_testkit.verdicts import CheckFailedError, CheckSkipped, Outcome, Result

EMBEDDED = "coinswarm.drivers"
BROKER = "coinswarm_testkit.reference.broker"
SUBJECTS = (
    Subject("local-bus", f"{EMBEDDED}.bus:LocalBus", f"{EMBEDDED}.settings:LocalBusSettings", kind="bus"),
    Subject(
        "local-series", f"{EMBEDDED}.timeseries:LocalTimeSeries", f"{EMBEDDED}.settings:LocalFileSettings",
        kind="timeseries", declaration={"trial": {"path": "{folder}/series.sqlite"}},
    ),
    Subject(
        "local-documents", f"{EMBEDDED}.documents:LocalDocuments", f"{EMBEDDED}.settings:LocalFileSettings",
        kind="documents", declaration={"trial": {"path": "{folder}/documents.sqlite"}},
    ),
    Subject(
        "hashing", f"{EMBEDDED}.hashing:HashingEmbedder", f"{EMBEDDED}.settings:HashingSettings", kind="embedder",
    ),
    Subject(
        "local-memory", f"{EMBEDDED}.episodes:LocalMemory", f"{EMBEDDED}.settings:LocalMemorySettings",
        kind="memory", declaration={"trial": {"path": "{folder}/memory.sqlite"}},
    ),
    Subject(
        "plain", f"{BROKER}:PlainBroker", f"{BROKER}:BrokerSettings", kind="broker",
        declaration={"trial": {"base_url": "{venue}", "api_key": "{secret}"}},
    ),
)  # fmt: skip
MEMORY = next(subject for subject in SUBJECTS if subject.kind == "memory")
BY_CONNECTION = {"N55", "N60", "N65"}
"""Checks about a connection, which no embedded driver has; the bus of plugins/coinswarm-nats is held to them."""
IN_ANOTHER_PROCESS = {"B15", "B55", "N10", "T40", "D40", "X15", "M75"}


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.name)
def test_a_reference_fails_nothing(subject: Subject) -> None:
    found = list(judge(LocalBench(subject), checks_for(subject.kind, tier="silver")))
    assert [(one.id, one.reason) for one in found if not one.good] == []
    skipped = {one.id for one in found if one.result is Result.SKIPPED and one.id[0] != "P"}
    assert skipped == (BY_CONNECTION if subject.kind == "bus" else set())


def test_nor_does_memory_where_a_graph_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "FEW", 10)
    monkeypatch.setattr(neighbours, "ROWS_PER_VISIT", 1)
    asked: list[int] = []
    by_graph = neighbours.Neighbours._searched

    def counted(held: neighbours.Neighbours, *args: Any) -> Any:  # noqa: ANN401 - hands on what it is given
        asked.append(len(held))
        return by_graph(held, *args)

    monkeypatch.setattr(neighbours.Neighbours, "_searched", counted)
    subject = replace(MEMORY, settings={"exact_entries": 20})
    found = list(judge(LocalBench(subject), checks_for("memory", tier="silver")))
    assert [(one.id, one.reason) for one in found if not one.good] == []
    assert len(asked) > 40


@pytest.mark.soundness
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.name)
def test_nor_as_the_gate_judges_it(subject: Subject) -> None:
    checks = [check for check in checks_for(subject.kind, tier="silver") if check.id in IN_ANOTHER_PROCESS]
    with RemoteBench(subject) as bench:
        found = list(judge(bench, checks))
    assert [(one.id, one.reason) for one in found if not one.good] == []


def test_a_trial_has_a_folder_and_a_name_of_its_own() -> None:
    trial = {"path": "{folder}/x", "prefix": "{fresh}", "limit": 3}
    bench = LocalBench(Subject("x", "x:X", kind="documents", declaration={"trial": trial}, settings={"limit": 4}))
    with arena(bench) as one, arena(bench) as other:
        assert one["limit"] == 4
        assert one["path"] != other["path"]
        assert one["prefix"] != other["prefix"]


def test_a_trial_without_its_server_reaches_no_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    declaration = {"trial": {"url": "{env:NO_SUCH_URL}"}}
    bench = LocalBench(Subject("x", "x:X", kind="memory", declaration=declaration))
    checks = [check for check in checks_for("memory", tier="silver") if check.id.startswith("M")]
    rows = list(judge(bench, checks, waivers={"M90": "known"}))
    assert {row.result for row in rows} == {Result.INCOMPLETE}
    assert "set it" in rows[0].reason
    bronze = Outcome("A10", "t", 1, "bronze", Result.PASSED)
    assert tier_of([bronze, *rows]) == "bronze"


def test_a_trial_without_its_server_is_skipped_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = LocalBench(Subject("x", "x:X", kind="bus", declaration={"trial": {"url": "{env:NO_SUCH_URL}"}}))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(CheckSkipped, match="NO_SUCH_URL"), arena(bench):
        pass
    monkeypatch.setenv("CI", "true")
    with pytest.raises(CheckFailedError, match="NO_SUCH_URL"), arena(bench):
        pass
    monkeypatch.setenv("NO_SUCH_URL", "nats://127.0.0.1:4222")
    with arena(bench) as settings:
        assert settings == {"url": "nats://127.0.0.1:4222"}


@pytest.mark.parametrize(
    ("name", "kind"), [("local", "bus"), ("local", "timeseries"), ("local", "documents"), ("hashing", "embedder")]
)
def test_an_installed_driver_is_found_by_name_and_kind(name: str, kind: str) -> None:
    found = installed(name, kind=kind)
    assert (found.kind, found.plugin, found.distribution) == (kind, name, "coinswarm-core")
    checks = [check for check in checks_for(found.kind, tier="bronze") if check.id in {"P10", "P20", "P25", "P40"}]
    assert [(one.id, one.reason) for one in judge(LocalBench(found), checks) if not one.good] == []


def test_a_name_that_several_drivers_have_needs_its_kind() -> None:
    with pytest.raises(UnknownNameError, match="bus and timeseries and documents by the name 'local'"):
        installed("local")
