"""Loading: one name at a time, and no way for a plugin to take the process down."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from coinswarm.errors import LoadError
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.loading import load_plugin
from coinswarm.plugins.records import PluginRecord, Status

Site = Any


def found(name: str) -> PluginRecord:
    return next(record for record in discover() if record.name == name)


def test_only_the_named_plugin_is_imported(site: Site) -> None:
    site.add("alpha")
    site.add("beta")
    module = load_plugin(found("alpha"))
    assert module is sys.modules["fake_alpha.plugin"]
    assert "fake_beta" not in sys.modules


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing-import", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("asserting", "AssertionError: not today"),
        ("exiting", "SystemExit: 3"),
        ("syntax", "SyntaxError"),
    ],
)
def test_a_failing_import_is_one_line_that_names_plugin_and_remedy(broken_site: Site, name: str, said: str) -> None:
    assert broken_site.packages
    with pytest.raises(LoadError) as caught:
        load_plugin(found(name))
    text = str(caught.value)
    assert f"plugin '{name}' (fake-{name} 1.0)" in text
    assert said in text
    assert "repair or reinstall" in text
    assert "\n" not in text


def test_ctrl_c_during_an_import_is_not_a_plugin_fault(site: Site) -> None:
    site.add("alpha", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_plugin(found("alpha"))


def test_a_plugin_that_does_not_stand_as_enabled_is_not_imported(site: Site) -> None:
    site.add("alpha", distribution="fake-one")
    site.add("alpha", distribution="fake-two")
    with pytest.raises(LoadError, match=r"is conflict.*uninstall one"):
        load_plugin(found("alpha"))
    assert "fake_one" not in sys.modules


def test_a_clash_that_appeared_since_discovery_is_refused(site: Site) -> None:
    site.add("alpha", distribution="fake-one")
    record = found("alpha")
    site.add("alpha", distribution="fake-two")
    with pytest.raises(LoadError, match=r"fake_one\.plugin and fake_two\.plugin"):
        load_plugin(record)


def test_a_target_that_changed_since_discovery_is_refused(site: Site) -> None:
    site.add("alpha")
    with pytest.raises(LoadError, match="changed meanwhile"):
        load_plugin(replace(found("alpha"), target="somewhere.else"))


def test_a_plugin_that_vanished_is_named(site: Site) -> None:
    site.add("alpha")
    record = replace(found("alpha"), name="gone")
    with pytest.raises(LoadError, match="no longer installed"):
        load_plugin(record)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.ENABLED])
def test_every_other_status_keeps_a_plugin_out(site: Site, status: Status) -> None:
    site.add("alpha")
    with pytest.raises(LoadError, match=f"is {status}"):
        load_plugin(found("alpha").judged(status, "because"))


def test_an_entry_point_may_name_an_object(site: Site) -> None:
    site.add(
        "alpha",
        "class Plugin: pass\nplugin = Plugin()",
        entry_points="[coinswarm.plugins]\nalpha = fake_alpha.plugin:plugin\n",
    )
    assert type(load_plugin(found("alpha"))).__name__ == "Plugin"
