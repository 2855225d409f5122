"""Drivers: found by entry point, imported when named, and a record with a reason when they cannot be had."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.errors import (
    CoinswarmError,
    ContractError,
    DeclarationError,
    LoadError,
    NotReadyError,
    ProfileError,
    UnknownNameError,
)
from coinswarm.plugins.drivers import GROUPS, everything, find_driver, installed_drivers, survey_drivers
from coinswarm.plugins.records import Status
from coinswarm.runtime.making import make_backend, make_driver

if TYPE_CHECKING:
    from pathlib import Path

Site = Any

DECLARED = """
from coinswarm.declarations import DriverType
bus = DriverType(name="{name}", summary="Fake.", target="{package}.bus:Bus", settings="{package}.bus:Settings")
"""
BUS = """
from pydantic import BaseModel, ConfigDict
from coinswarm.ports import MessageBus
class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    port: int = 4222
class Bus(MessageBus):
    def __init__(self, settings): self.settings = settings
"""


def add(
    site: Site, name: str, source: str | None = None, *, requires: str = "coinswarm-core>=0.1,<1", record: bool = False
) -> Path:
    """A distribution with one bus, ``fake_<name>``; the folder of its package."""
    package = f"fake_{name}"
    site.add(
        name, "", distribution=f"fake-{name}",
        entry_points=f"[coinswarm.buses]\n{name} = {package}.declared:bus\n",
        requires=requires,
    )  # fmt: skip
    folder: Path = site.folder / package
    (folder / "declared.py").write_text(DECLARED.format(name=name, package=package) if source is None else source)
    (folder / "bus.py").write_text(BUS)
    if record:
        site.write_record(package)
    return folder


@pytest.mark.parametrize(
    ("kind", "name"),
    [("bus", "local"), ("timeseries", "local"), ("documents", "local"), ("embedder", "hashing")],
)
def test_core_brings_embedded_drivers(kind: str, name: str) -> None:
    declared, record = find_driver(kind, name)
    assert (declared.name, record.distribution, record.status) == (name, "coinswarm-core", Status.LOADED)
    assert not record.warnings
    driver = make_driver(kind, name, {}, key=f"{kind}.settings", label="the profile")
    assert isinstance(driver, GROUPS[kind].port)


def test_a_name_that_nobody_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown bus driver 'locale': did you mean 'local'"):
        find_driver("bus", "locale")


def test_everything_that_is_installed_is_known_and_stands_as_the_operator_says(site: Site, tmp_path: Path) -> None:
    add(site, "alpha", "raise RuntimeError('imported')")
    site.add("beta")
    names = [(record.name, record.noun) for record in everything() if record.name in {"alpha", "beta", "local"}]
    assert names == [("beta", "plugin"), ("alpha", "driver")], "what core brings is core"
    (tmp_path / "plugins.toml").write_text('disabled = ["alpha"]\n')
    found = [(one.name, one.status) for one in installed_drivers(tmp_path) if one.distribution == "fake-alpha"]
    assert found == [("alpha", Status.DISABLED)]


def test_being_installed_imports_nothing(site: Site) -> None:
    add(site, "alpha", "raise RuntimeError('imported')")
    add(site, "beta")
    declared, _ = find_driver("bus", "beta")
    assert declared.target == "fake_beta.bus:Bus"
    assert not {"fake_alpha.declared", "fake_beta.bus"} & set(sys.modules)


@pytest.mark.parametrize(
    ("source", "error", "match"),
    [
        ("import no_such_module_anywhere", LoadError, "no_such_module_anywhere"),
        ("assert False, 'not today'", LoadError, "AssertionError: not today"),
        ("import sys; sys.exit(3)", LoadError, "SystemExit"),
        ("class Skipped(BaseException): pass\nraise Skipped('x')", LoadError, "Skipped"),
        ("x = 1", LoadError, "AttributeError"),
        ("bus = 7", DeclarationError, "returned 7"),
        (DECLARED.format(name="other", package="fake_alpha"), DeclarationError, "the declaration of 'other'"),
    ],
)
def test_a_driver_that_cannot_be_loaded_says_why(
    site: Site, source: str, error: type[CoinswarmError], match: str
) -> None:
    add(site, "alpha", source)
    with pytest.raises(error, match=match) as raised:
        find_driver("bus", "alpha")
    assert "driver 'alpha' (fake-alpha 1.0)" in str(raised.value)
    found = {item.record.name: item for item in survey_drivers("bus")}
    assert found["alpha"].record.status is Status.FAILED
    assert match.removeprefix("unknown ") in found["alpha"].record.reason
    assert found["alpha"].declared is None
    assert found["local"].record.status is Status.LOADED, "one broken driver takes nobody down"


def test_a_name_that_two_distributions_claim_is_a_conflict(site: Site) -> None:
    add(site, "alpha")
    site.add("twin", "", entry_points="[coinswarm.buses]\nalpha = fake_twin.declared:bus\n")
    with pytest.raises(LoadError, match="both bring a driver of this name"):
        find_driver("bus", "alpha")


def test_a_driver_and_a_plugin_may_share_a_name(site: Site) -> None:
    folder = add(site, "alpha")
    info = next(site.folder.glob("fake_alpha-*.dist-info"))
    with (info / "entry_points.txt").open("a") as file:
        file.write("[coinswarm.plugins]\nalpha = fake_alpha.plugin\n")
    assert folder.exists()
    assert find_driver("bus", "alpha")[0].name == "alpha"


def test_the_operators_decisions_hold_for_drivers(site: Site, tmp_path: Path) -> None:
    add(site, "alpha")
    (tmp_path / "plugins.toml").write_text('disabled = ["alpha"]\n')
    with pytest.raises(NotReadyError, match="switched off by the operator"):
        find_driver("bus", "alpha", home=tmp_path)


def test_trust_is_demanded_of_drivers_too(site: Site) -> None:
    add(site, "alpha", record=True)
    with pytest.raises(NotReadyError, match="nobody trusts it"):
        find_driver("bus", "alpha", demanded=[])
    assert find_driver("bus", "local", demanded=[])[0].name == "local", "core is trusted by being core"


def test_a_driver_made_for_another_core_is_left_out(site: Site) -> None:
    add(site, "alpha", requires="coinswarm-core<0.1")
    with pytest.raises(LoadError, match=r"it asks for coinswarm-core<0\.1"):
        find_driver("bus", "alpha")


def test_settings_are_checked_and_the_object_is_held_to_its_port(site: Site) -> None:
    with pytest.raises(ProfileError, match=r"bus\.settings\.pendin"):
        make_driver("bus", "local", {"pendin": 1}, key="bus.settings", label="p.toml")
    add(site, "alpha")
    with pytest.raises(ContractError, match=r"does not implement .*publish"):
        make_driver("bus", "alpha", {}, key="bus.settings", label="p.toml")


def test_a_secret_of_the_profile_reaches_the_driver_or_backend_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = {"env": "COINSWARM_TEST_SECRET"}
    with pytest.raises(NotReadyError, match="COINSWARM_TEST_SECRET"):
        make_driver("bus", "local", {"pending": reference}, key="bus.settings", label="p.toml")
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "7")
    make_driver("bus", "local", {"pending": reference}, key="bus.settings", label="p.toml")
    make_backend([], "local", {"exact_entries": reference}, key="memory.settings", label="p.toml")
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "hunter2")
    with pytest.raises(ProfileError, match=r"bus\.settings\.pending = …: must be a valid integer"):
        make_driver("bus", "local", {"pending": reference}, key="bus.settings", label="p.toml")


@pytest.mark.parametrize("said", ["settings.url", "'nothing'"])
def test_a_constructor_that_quotes_a_secret_shows_it_to_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    quoting = said == "settings.url"
    (add(site, "alpha") / "bus.py").write_text(
        BUS.replace("port: int = 4222", "url: str").replace(
            "self.settings = settings", f"raise ValueError('no address: ' + {said})"
        )
        + "Bus.__abstractmethods__ = frozenset()\n"
    )
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "nats://me:hunter2@host")
    given = {"url": {"env": "COINSWARM_TEST_SECRET"}}
    with pytest.raises(ContractError, match="cannot be constructed") as caught:
        make_driver("bus", "alpha", given, key="bus.settings", label="p.toml")
    assert ("(ValueError: no address: …)" in str(caught.value)) == quoting
    told = "".join(traceback.format_exception(caught.value))  # as with --debug
    assert "hunter2" not in told
    assert ("direct cause" in told) == (not quoting)
