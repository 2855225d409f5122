"""Settings of plugins' objects: checked by their own model, in the words of the profile."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from coinswarm.config.profile import load_profile
from coinswarm.config.settings import check_settings, in_full
from coinswarm.config.sources import InFolder
from coinswarm.errors import ContractError, NotReadyError, ProfileError


class Averages(BaseModel):
    """Settings as a plugin has them."""

    model_config = ConfigDict(extra="forbid")
    fast: int = Field(10, ge=2)
    slow: int = 20


class Server(BaseModel):
    """Settings as a driver has them."""

    model_config = ConfigDict(extra="forbid")
    url: str = ""
    password: SecretStr | None = None
    more: list[SecretStr] = []
    port: str = ""

    @field_validator("url")
    @classmethod
    def _words(cls, value: str) -> str:
        message = f"{value!r} is no address"
        raise ValueError(message)

    @field_validator("port")
    @classmethod
    def _number(cls, value: str) -> str:
        message = f"no port in {value}"
        raise TypeError(message)  # which pydantic lets through


class Loose(BaseModel):
    """A model that lets typing mistakes through."""


def test_what_is_left_out_is_filled_in() -> None:
    assert check_settings(Averages, {"fast": 5}, key="agents.trend.settings", label="p.toml") == Averages(fast=5)


def test_every_finding_is_a_line_with_its_place() -> None:
    with pytest.raises(ProfileError) as caught:
        check_settings(Averages, {"fats": 5, "fast": 1}, key="agents.trend.settings", label="p.toml")
    assert str(caught.value).splitlines() == [
        "p.toml: agents.trend.settings.fast = 1: must be greater than or equal to 2",
        "p.toml: unknown key 'agents.trend.settings.fats': did you mean 'fast'?",
    ]


@pytest.mark.parametrize(
    ("model", "said"), [(Loose, "Loose.*accepts unknown keys"), (dict, "pydantic model"), (7, "pydantic model")]
)
def test_a_model_that_checks_nothing_is_its_authors_fault(model: object, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        check_settings(model, {}, key="agents.trend.settings", label="p.toml")


def test_a_driver_is_given_its_secrets_and_an_agent_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "s3cret")
    given = {"password": {"env": "COINSWARM_TEST_SECRET"}, "more": [{"env": "COINSWARM_TEST_SECRET"}]}
    made = check_settings(Server, given, key="drivers.bus.settings", label="p.toml", secrets=True)
    assert isinstance(made, Server)
    assert made.password == SecretStr("s3cret")
    assert made.more == [SecretStr("s3cret")]
    with pytest.raises(ProfileError, match="must be text in quotes"):
        check_settings(Server, given, key="agents.trend.settings", label="p.toml")
    monkeypatch.delenv("COINSWARM_TEST_SECRET")
    with pytest.raises(NotReadyError, match=r"COINSWARM_TEST_SECRET.*is not set"):
        check_settings(Server, given, key="drivers.bus.settings", label="p.toml", secrets=True)


def test_no_message_shows_what_a_reference_or_a_drivers_setting_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "s3c'ret")
    for given, told in (
        ({"url": {"env": "COINSWARM_TEST_SECRET"}}, 'url = …: "…" is no address'),
        ({"more": "s3cret"}, "more = …: must be a list [...]"),
    ):
        with pytest.raises(ProfileError) as caught:
            check_settings(Server, given, key="memory.settings", label="p.toml", secrets=True)
        assert str(caught.value) == f"p.toml: memory.settings.{told}"


class Placed(BaseModel):
    """Settings with paths, and with texts that look like some."""

    model_config = ConfigDict(extra="forbid")
    path: Path | None = None
    files: list[Path] = []
    name: str = ""
    way: Literal["a/b", "c"] = "c"
    more: dict[str, str] = {}


def test_a_path_is_relative_to_the_profile_where_its_model_says_that_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = 'settings = {path = "a/b", files = ["x", "/y", "~/z"], name = "a/b", way = "a/b", more = {k = "a/b"}}'
    (tmp_path / "sub" / "p.toml").write_text(f"""
        mode = "backtest"
        instruments = [{{symbol = "BTC/USD", sample = "BTC/USD"}}]
        agents = [{{name = "trend", weight_bp = 10_000}}]
        [memory]
        {settings}
        [drivers.bus]
        name = "far"
        {settings}
    """)
    for overrides, path in (((), "sub/a/b"), (("memory.settings.path=c/d", "drivers.bus.settings.path=c/d"), "c/d")):
        read = load_profile("sub/p.toml", overrides)
        assert read.memory is not None
        assert read.drivers.bus is not None
        for given in (read.memory.settings, read.drivers.bus.settings):
            made = check_settings(Placed, given, key="k", label="p")
            assert isinstance(made, Placed)
            assert made.path == Path(path)
            assert made.files == [Path("sub/x"), Path("/y"), tmp_path / "home" / "z"]
            assert (made.name, made.way, made.more) == ("a/b", "a/b", {"k": "a/b"})
            assert {type(made.name), type(made.way), type(made.more["k"])} == {str}
            kept = in_full(Placed, given)
            assert kept["path"] == str(tmp_path / path)
            assert kept["name"] == "a/b"
        assert json.loads(json.dumps(read.canonical()["memory"]["settings"])) == read.memory.settings


def test_a_path_in_the_home_of_nobody_is_told(tmp_path: Path) -> None:
    given = {"path": InFolder("~nobody-here/x", tmp_path), "name": InFolder("~nobody-here/x", tmp_path)}
    with pytest.raises(ProfileError, match=r"'~nobody-here/x' begins with a home folder that is not known"):
        check_settings(Placed, given, key="memory.settings", label="p")
    del given["path"]
    assert check_settings(Placed, given, key="memory.settings", label="p") == Placed(name="~nobody-here/x")


def test_of_two_secrets_with_one_begin_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "hunter")
    monkeypatch.setenv("COINSWARM_TEST_SECRET_2", "hunter2and3")
    given = {"password": {"env": "COINSWARM_TEST_SECRET"}, "url": {"env": "COINSWARM_TEST_SECRET_2"}}
    with pytest.raises(ProfileError, match=r"url = …: '…' is no address"):
        check_settings(Server, given, key="memory.settings", label="p.toml", secrets=True)


def test_a_model_that_raises_is_its_authors_fault_and_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "s3cret")
    with pytest.raises(ContractError, match=r"Server of 'bus' fails \(TypeError: no port in …\): its author") as caught:
        check_settings(Server, {"port": {"env": "COINSWARM_TEST_SECRET"}}, key="bus", label="p.toml", secrets=True)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(ContractError, match=r"no port in 4222"):
        check_settings(Server, {"port": "4222"}, key="agents.trend.settings", label="p.toml")
