"""docs/profiles.md lists every key with its default, and no other key."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from coinswarm.config.fields import Section
from coinswarm.config.profile import Profile
from coinswarm.config.sections import DriverSection, DriversSection

pytestmark = pytest.mark.static

DOCS = Path(__file__).parents[3] / "docs" / "profiles.md"
ROW = re.compile(r"^\| `([\w.]+)` \| (required|none|`[^`]+`) \| .+ \|$", re.MULTILINE)


def keys(model: type[Section], prefix: str = "") -> dict[str, Any]:
    """Dotted key -> default; ``required`` where there is none."""
    found: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        if info.annotation is DriversSection:
            found |= keys(DriverSection, "drivers.KIND.")
            continue
        inner = [kind for kind in (info.annotation, *get_args(info.annotation)) if isinstance(kind, type)]
        section = next((kind for kind in inner if issubclass(kind, Section)), None)
        if section is not None:
            found |= keys(section, f"{prefix}{name}.")
        else:
            found[prefix + name] = "required" if info.is_required() else info.get_default(call_default_factory=True)
    return found


def plain(value: Any) -> Any:  # noqa: ANN401 - a default
    """A default as TOML reads it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def test_every_key_is_documented_with_its_default() -> None:
    documented = {
        key: shown if shown == "required" else None if shown == "none" else tomllib.loads(f"v = {shown[1:-1]}")["v"]
        for key, shown in ROW.findall(DOCS.read_text(encoding="utf-8"))
    }
    expected = {key: plain(value) for key, value in keys(Profile).items()}
    assert documented == expected
