"""Settings of plugins' objects: checked by their own model, in the words of the profile."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from coinswarm.config.settings import check_settings
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

    @field_validator("url")
    @classmethod
    def _words(cls, value: str) -> str:
        message = f"{value!r} is no address"
        raise ValueError(message)


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
