"""Discovery: what package metadata says, whatever state it is in, without importing a plugin."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from coinswarm.plugins.discovery import discover
from coinswarm.plugins.records import Origin, Status

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from coinswarm.plugins.records import PluginRecord

Site = Any


def find(name: str) -> list[PluginRecord]:
    return [record for record in discover() if record.name == name]


def test_a_plugin_is_found_with_its_facts(site: Site) -> None:
    site.add("alpha", version="2.5")
    [record] = find("alpha")
    assert (record.distribution, record.version, record.target) == ("fake-alpha", "2.5", "fake_alpha.plugin")
    assert (record.origin, record.status, record.provides) == (Origin.WHEEL, Status.ENABLED, ())


def test_nothing_is_imported(site: Site) -> None:
    site.add("alpha", "raise RuntimeError('imported')")
    assert find("alpha")[0].status is Status.ENABLED
    assert not any(name.startswith("fake_alpha") for name in sys.modules)


def test_records_are_sorted_and_core_is_among_them(site: Site) -> None:
    site.add("zeta")
    site.add("alpha")
    names = [record.name for record in discover()]
    assert names == sorted(names)
    assert {"alpha", "core", "zeta"} <= set(names)


def test_origins_are_told_apart(site: Site) -> None:
    site.add("alpha", editable=True)
    site.add("beta")
    (site.folder / "fake_beta-1.0.dist-info" / "WHEEL").unlink()
    site.add("gamma")
    (site.folder / "fake_gamma-1.0.dist-info" / "direct_url.json").write_text("not json")
    found = {record.name: record.origin for record in discover()}
    assert (found["alpha"], found["beta"], found["gamma"]) == (Origin.EDITABLE, Origin.OTHER, Origin.OTHER)


def test_a_name_that_two_claim_is_a_conflict_for_both(site: Site) -> None:
    site.add("alpha", distribution="fake-one")
    site.add("alpha", distribution="fake-two")
    records = find("alpha")
    assert [record.status for record in records] == [Status.CONFLICT, Status.CONFLICT]
    assert all("fake-one and fake-two" in record.reason for record in records)


def test_a_distribution_that_is_twice_on_the_path_counts_once(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("alpha", version="1.0")
    first = type(site)(tmp_path / "first")
    first.folder.mkdir()
    first.add("alpha", version="2.0")
    monkeypatch.syspath_prepend(str(first.folder))
    [record] = find("alpha")
    assert (record.version, record.status) == ("2.0", Status.ENABLED)


def test_broken_metadata_costs_its_own_plugins_only(site: Site) -> None:
    site.add("alpha", entry_points="[coinswarm.plugins]\nno equals sign here\n")
    site.add("beta", entry_points="[other]\nnor here\n")
    site.add("gamma")
    [record] = find("fake-alpha")
    assert record.status is Status.FAILED
    assert "entry_points.txt" in record.reason
    assert find("gamma")[0].status is Status.ENABLED
    assert not find("fake-beta")


def test_a_distribution_without_a_name_is_not_hidden(site: Site) -> None:
    site.add("alpha")
    (site.folder / "fake_alpha-1.0.dist-info" / "METADATA").unlink()
    [record] = find("alpha")
    assert (record.distribution, record.version, record.status) == ("unnamed", "?", Status.ENABLED)


def test_nonsense_targets_and_names_are_reasons(site: Site) -> None:
    site.add("alpha", entry_points="[coinswarm.plugins]\nalpha = not a module!\n")
    site.add("beta", entry_points="[coinswarm.plugins]\nBeta_2 = fake_beta.plugin\n")
    assert "not a module!" in find("alpha")[0].reason
    assert "Beta_2" in find("Beta_2")[0].reason
    assert find("Beta_2")[0].status is find("alpha")[0].status is Status.FAILED
