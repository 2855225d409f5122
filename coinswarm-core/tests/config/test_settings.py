"""Settings of plugins' objects: checked by their own model, in the words of the profile."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field

from coinswarm.config.settings import check_settings
from coinswarm.errors import ContractError, ProfileError


class Averages(BaseModel):
    """Settings as a plugin has them."""

    model_config = ConfigDict(extra="forbid")
    fast: int = Field(10, ge=2)
    slow: int = 20


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
