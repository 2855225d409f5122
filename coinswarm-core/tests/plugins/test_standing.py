"""How plugins stand before anything is imported: block lists, decisions, compatibility, trust."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.errors import NotReadyError
from coinswarm.plugins import blocklist
from coinswarm.plugins.blocklist import Blocked
from coinswarm.plugins.catalogue import load
from coinswarm.plugins.records import PluginRecord, Status
from coinswarm.plugins.standing import installed
from coinswarm.plugins.trust import trust_line

if TYPE_CHECKING:
    from pathlib import Path

Site = Any


def stands(home: Path, name: str = "alpha", **more: Any) -> PluginRecord:  # noqa: ANN401 - passed on
    return next(record for record in installed(home, **more) if record.name == name)


@pytest.mark.parametrize(
    ("version", "entry", "refused"),
    [
        ("1.0", Blocked("it loses fills"), "refused by core, it loses fills: no good version is known: uninstall it"),
        ("1.0", Blocked("it loses fills", "1.1"), "it loses fills: upgrade to 1.1 or later"),
        ("1.1", Blocked("it loses fills", "1.1"), ""),
        ("?", Blocked("it loses fills", "1.1"), "upgrade to 1.1 or later"),
    ],
)
def test_core_blocks_by_distribution_up_to_a_good_version(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, entry: Blocked, refused: str
) -> None:
    site.add("alpha", version=version)
    monkeypatch.setattr(blocklist, "BLOCKED", {"fake-alpha": entry})
    record = stands(tmp_path)
    assert record.status is (Status.BLOCKED if refused else Status.ENABLED)
    assert refused in record.reason


def test_the_block_list_of_core_is_well_formed() -> None:
    for name, entry in blocklist.BLOCKED.items():
        assert name == name.lower()
        assert entry.reason
        assert "\n" not in entry.reason


@pytest.mark.parametrize("requires", ["coinswarm-core>=99", "coinswarm-core<0.1", "coinswarm-core (==0.0.*)"])
def test_a_plugin_for_another_core_is_not_imported(site: Site, tmp_path: Path, requires: str) -> None:
    site.add("alpha", "raise RuntimeError('imported')", requires=requires)
    record = stands(tmp_path)
    assert record.status is Status.INCOMPATIBLE
    assert f"coinswarm-core{record.made_for}" in record.reason
    with pytest.raises(Exception, match="is incompatible: it asks for"):
        load(["alpha"], home=tmp_path)
    assert "fake_alpha" not in sys.modules


@pytest.mark.parametrize(
    ("requires", "said"), [("", "is missing"), ("coinswarm-core>=some", "cannot be read (>=some)")]
)
def test_a_plugin_that_does_not_say_is_warned_about(site: Site, tmp_path: Path, requires: str, said: str) -> None:
    site.add("alpha", requires=requires)
    record = stands(tmp_path)
    assert record.status is Status.ENABLED
    assert said in record.warnings[0]
    assert load(["alpha"], home=tmp_path).plugins["alpha"].warnings[0] == record.warnings[0]


def test_a_decision_comes_before_what_is_wrong(site: Site, tmp_path: Path) -> None:
    site.add("alpha", requires="coinswarm-core>=99")
    (tmp_path / "plugins.toml").write_text('disabled = ["alpha"]\n')
    assert stands(tmp_path).status is Status.DISABLED
    (tmp_path / "plugins.toml").write_text('disabled = ["alpha"]\n[blocked]\nalpha = "it is rude"\n')
    record = stands(tmp_path)
    assert record.status is Status.BLOCKED
    assert "blocked by the operator, it is rude: coinswarm plugins enable alpha" in record.reason


@pytest.mark.parametrize("key", ["alpha-one", "Alpha_One", "ALPHA.ONE", "fake-alpha-one", "Fake_Alpha-One"])
def test_a_decision_that_is_spelt_otherwise_holds(site: Site, tmp_path: Path, key: str) -> None:
    """The file may be written by hand, and a plugin is often called by its distribution."""
    site.add("alpha-one", distribution="fake-alpha-one")
    file = tmp_path / "plugins.toml"
    file.write_text(f'[blocked]\n"{key}" = "loses orders"\n')
    record = stands(tmp_path, "alpha-one")
    assert record.status is Status.BLOCKED
    assert record.reason == f"blocked by the operator, loses orders: coinswarm plugins enable {key}"
    file.write_text(f'disabled = ["{key}"]\n')
    assert stands(tmp_path, "alpha-one").status is Status.DISABLED
    file.write_text(f'[trusted]\n"{key}" = "fake-alpha-one==0 sha256:{"0" * 64}"\n')
    assert stands(tmp_path, "alpha-one").status is Status.UNTRUSTED


def test_a_plugin_of_a_distributions_name_is_no_word_for_all_of_it(site: Site, tmp_path: Path) -> None:
    points = "[coinswarm.plugins]\nfake-news = fake_news.plugin\nbeta = fake_news.other\n"
    site.add("fake-news", distribution="fake-news", entry_points=points)
    (tmp_path / "plugins.toml").write_text('disabled = ["fake-news"]\n')
    assert stands(tmp_path, "fake-news").status is Status.DISABLED
    assert stands(tmp_path, "beta").status is Status.ENABLED


def test_core_stands_above_decisions(tmp_path: Path) -> None:
    (tmp_path / "plugins.toml").write_text('disabled = ["core"]\n')
    assert stands(tmp_path, "core").status is Status.ENABLED


def test_trust_that_no_longer_holds_keeps_a_plugin_out_of_any_mode(site: Site, tmp_path: Path) -> None:
    site.add("alpha", record=True)
    line = trust_line(stands(tmp_path))
    (tmp_path / "plugins.toml").write_text(f'[trusted]\nalpha = "{line}"\n')
    assert (stands(tmp_path).status, stands(tmp_path).trust) == (Status.ENABLED, line)
    assert "alpha" in load(["alpha"], home=tmp_path).agents
    (site.folder / "fake_alpha" / "agent.py").write_text("other = True\n")
    record = stands(tmp_path)
    assert record.status is Status.UNTRUSTED
    assert record.broken
    with pytest.raises(NotReadyError, match=r"plugin 'alpha' .*is not loaded: .*agent.py differs"):
        load(["alpha"], home=tmp_path)


def test_a_mode_that_demands_trust_takes_the_profile_or_the_operator_for_it(site: Site, tmp_path: Path) -> None:
    site.add("alpha", record=True)
    line = trust_line(stands(tmp_path))
    assert stands(tmp_path, demanded=[]).status is Status.UNTRUSTED
    with pytest.raises(NotReadyError, match="nobody trusts it: look at it, then coinswarm plugins trust alpha"):
        load(["alpha"], home=tmp_path, demanded=[])
    wrong = line[:-1] + ("0" if line[-1] != "0" else "1")
    assert "what is trusted is" in stands(tmp_path, demanded=[wrong]).reason
    assert load(["alpha"], home=tmp_path, demanded=[line]).plugins["alpha"].trust == "by the profile"
    (tmp_path / "plugins.toml").write_text(f'[trusted]\nalpha = "{line}"\n')
    assert stands(tmp_path, demanded=[]).trust == line
    (tmp_path / "plugins.toml").write_text(f'[trusted]\nalpha = "{wrong}"\n')
    assert stands(tmp_path, demanded=[line]).status is Status.UNTRUSTED, "the operator's own pin counts too"
