"""Seats of a profile, as certificates are held against them."""

from __future__ import annotations

from typing import Any

import pytest

from coinswarm.declarations import AgentType
from coinswarm.plugins.discovery import discover
from coinswarm.runtime.admission import _judged_seat

Site = Any

MODEL = """\
from pydantic import BaseModel, ConfigDict, Field, SecretStr

class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    fast: int = 5
    hidden: float = Field(1.0, exclude=True)
    manner: SecretStr = SecretStr("calm")
"""


@pytest.mark.parametrize(
    ("seated", "same"),
    [
        ({"fast": 5}, True),
        ({"fast": 6}, False),
        ({"hidden": 1}, True),
        ({"hidden": 9}, False),
        ({"manner": "calm"}, True),
        ({"manner": "wild"}, False),
    ],
)
def test_a_setting_counts_though_its_model_does_not_show_it(site: Site, seated: dict[str, Any], same: bool) -> None:  # noqa: FBT001 - parametrized
    site.add("alpha")
    (site.folder / "fake_alpha" / "settings.py").write_text(MODEL)
    [record] = [one for one in discover() if one.name == "alpha"]
    declared = AgentType(
        name="alpha", summary="Fake.", target="fake_alpha.agent:Fake", settings="fake_alpha.settings:Settings"
    )
    assert _judged_seat("agents.alpha", "agent", "alpha", seated, declared, record).same({}) == same
