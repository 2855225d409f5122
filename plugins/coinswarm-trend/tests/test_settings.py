"""Settings of the trend agent: bounds that refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from coinswarm_trend.agent import TrendAgent
from coinswarm_trend.settings import TrendSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fast": 0}, "greater than or equal to 1"),
        ({"fast": 20}, "fast is 20 and slow is 20: fast must be smaller"),
        ({"fast": 30}, "fast is 30 and slow is 20: fast must be smaller"),
        ({"fast": 2.5}, "valid integer"),
        ({"fast": "10"}, "valid integer"),
        ({"slow": 10_001}, "less than or equal to 10000"),
        ({"adx_period": 1}, "greater than or equal to 2"),
        ({"adx_entry": 100}, "less than 100"),
        ({"adx_entry": float("nan")}, "finite"),
        ({"adx_full": 0}, "greater than 0"),
        ({"atr_period": 0}, "greater than or equal to 1"),
        ({"stop_atr": 0}, "greater than 0"),
        ({"target_atr": -1}, "greater than or equal to 0"),
        ({"target_atr": float("inf")}, "finite"),
        ({"size": 1.01}, "less than or equal to 1"),
        ({"size": 0}, "greater than 0"),
        ({"sloww": 30}, "Extra inputs are not permitted"),
    ],
)
def test_out_of_bounds_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TrendSettings(**given)


def test_settings_cannot_be_changed_under_the_agent() -> None:
    settings = TrendSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.fast = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "bars"),
    [({}, 280), ({"slow": 600}, 600), ({"adx_period": 20}, 400), ({"atr_period": 30}, 600)],
)
def test_warm_up_follows_the_slowest_indicator(given: dict[str, Any], bars: int) -> None:
    assert TrendAgent(TrendSettings(**given)).warm_up() == bars


def test_no_target_means_no_target() -> None:
    assert TrendSettings(target_atr=0).target_atr == 0


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for name, field in TrendSettings.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else f"{field.default:g}"
        assert f"| `{name}` | {default} |" in readme
