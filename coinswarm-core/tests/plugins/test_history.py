"""The memory of the last load: it counts for the same files only, and damage costs a load."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.plugins import history
from coinswarm.plugins.catalogue import survey
from coinswarm.plugins.records import PluginRecord, Status
from coinswarm.plugins.standing import installed

if TYPE_CHECKING:
    from pathlib import Path

Site = Any
WHEN = "2026-01-02T03:04:05Z"


def loaded(home: Path, name: str = "alpha") -> None:
    chosen = [record for record in installed(home) if record.name == name]
    assert history.remember(home, survey(chosen), WHEN)


def recalled(home: Path, name: str = "alpha") -> PluginRecord:
    return next(record for record in history.recall(home, installed(home)) if record.name == name)


def test_what_was_loaded_is_remembered(site: Site, tmp_path: Path) -> None:
    site.add("alpha")
    assert recalled(tmp_path).as_of == ""
    loaded(tmp_path)
    record = recalled(tmp_path)
    assert (record.status, record.provides, record.as_of) == (Status.ENABLED, ("agent: alpha",), WHEN)


def test_a_failure_is_remembered_with_its_reason(site: Site, tmp_path: Path) -> None:
    site.add("alpha", "assert False, 'not today'")
    loaded(tmp_path)
    record = recalled(tmp_path)
    assert (record.status, record.as_of) == (Status.FAILED, WHEN)
    assert "not today" in record.reason


@pytest.mark.parametrize("change", ["source", "version", "record", "target"])
def test_a_changed_distribution_is_not_remembered(site: Site, tmp_path: Path, change: str) -> None:
    site.add("alpha", record=True)
    loaded(tmp_path)
    info = site.folder / "fake_alpha-1.0.dist-info"
    if change == "source":
        (site.folder / "fake_alpha" / "agent.py").write_text("changed = True\n")
    elif change == "version":
        (info / "METADATA").write_text((info / "METADATA").read_text().replace("Version: 1.0", "Version: 2.0"))
    elif change == "record":
        (info / "RECORD").write_text((info / "RECORD").read_text().replace("agent.py,sha256=", "agent.py,sha256=0"))
    else:
        (info / "entry_points.txt").write_text("[coinswarm.plugins]\nalpha = fake_alpha.agent\n")
    record = recalled(tmp_path)
    assert (record.status, record.provides, record.as_of) == (Status.ENABLED, (), "")


def test_a_remembered_failure_does_not_hide_a_decision(site: Site, tmp_path: Path) -> None:
    site.add("alpha", "assert False")
    loaded(tmp_path)
    (tmp_path / "plugins.toml").write_text('disabled = ["alpha"]\n')
    assert recalled(tmp_path).status is Status.DISABLED


def test_the_same_again_is_not_written_again(site: Site, tmp_path: Path) -> None:
    site.add("alpha")
    loaded(tmp_path)
    [entry] = json.loads((tmp_path / history.FILE).read_text())["plugins"].values()
    chosen = [record for record in installed(tmp_path) if record.name == "alpha"]
    assert history.remember(tmp_path, survey(chosen), "2027-01-01T00:00:00Z")
    assert [entry] == [*json.loads((tmp_path / history.FILE).read_text())["plugins"].values()]


@pytest.mark.parametrize(
    "damage",
    [
        "", "[", "[]", "{}", '{"schema": "coinswarm.plugins/1"}', '{"schema": "coinswarm.plugins/1", "plugins": []}',
        '{"schema": "coinswarm.plugins/1", "plugins": {"alpha (fake-alpha)": 1}}',
        '{"schema": "coinswarm.plugins/1", "plugins": {"alpha (fake-alpha)": {"status": "x"}}}', "\x00",
    ],
)  # fmt: skip
def test_a_damaged_file_is_no_memory_and_is_replaced(site: Site, tmp_path: Path, damage: str) -> None:
    site.add("alpha")
    (tmp_path / history.FILE).write_text(damage)
    assert recalled(tmp_path).as_of == ""
    loaded(tmp_path)
    assert recalled(tmp_path).as_of == WHEN


def test_a_memory_that_cannot_be_written_is_answered(site: Site, tmp_path: Path) -> None:
    site.add("alpha")
    judged = survey([record for record in installed(tmp_path) if record.name == "alpha"])
    assert not history.remember(None, judged, WHEN)
    (tmp_path / "file").write_text("")
    assert not history.remember(tmp_path / "file", judged, WHEN)
    assert history.remember(None, [replace(judged[0], status=Status.DISABLED)], WHEN), "nothing to remember"
