"""Seats of a profile, as certificates are held against them."""

from __future__ import annotations

from typing import Any

import pytest

from coinswarm.declarations import AgentType, MemoryType
from coinswarm.plugins.discovery import discover
from coinswarm.runtime.admission import _judged_seat, backend_seat

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


BACKEND = """\
from pathlib import Path
from typing import Self
from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str = "x://here"
    user: str = ""
    password: SecretStr | None = None
    ca_file: Path | None = None
    effort: float = 64

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.ca_file and not self.url.startswith("xs://"):
            raise ValueError("files for TLS without TLS")
        return self
"""


@pytest.mark.parametrize(
    ("seated", "earned", "same"),
    [
        ({"url": "xs://there", "user": "me", "password": {"env": "WORD"}, "ca_file": "/ca.pem"}, {}, True),
        ({"effort": 64}, {"user": "", "ca_file": "/other.pem"}, True),
        ({"effort": 65}, {}, False),
        ({"effort": 65}, {"effort": 65}, True),
        ({}, {"effort": 65}, False),
    ],
)
def test_where_a_backend_is_counts_for_nothing_and_how_it_works_does(
    site: Site,
    seated: dict[str, Any],
    earned: dict[str, Any],
    same: bool,  # noqa: FBT001 - parametrized
) -> None:
    site.add("alpha")
    (site.folder / "fake_alpha" / "settings.py").write_text(BACKEND)
    [record] = [one for one in discover() if one.name == "alpha"]
    declared = MemoryType(
        name="near", summary="Fake.", target="a.b:C", settings="fake_alpha.settings:Settings",
        trial={"url": "{env:ALPHA_URL}", "user": ""},
    )  # fmt: skip
    seat = backend_seat("near", seated, declared, record)
    assert seat.same(earned) == same
    words = " --set effort=65" if seated.get("effort") == 65 else " --set effort=64" if "effort" in seated else ""
    assert seat.again == f"coinswarm plugins check alpha --kind memory --object near{words}"
