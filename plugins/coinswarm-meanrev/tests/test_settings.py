"""Settings of the mean-reversion agent: bounds that refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from coinswarm_meanrev.agent import MeanReversionAgent
from coinswarm_meanrev.settings import MeanReversionSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"window": 2}, "greater than or equal to 3"),
        ({"window": 20.0}, "valid integer"),
        ({"window": "20"}, "valid integer"),
        ({"window": 5}, "entry_z is 2.0, which a window of 5 bars never reaches: lower it or take more than 5 bars"),
        ({"entry_z": 4.5}, "entry_z is 4.5, which a window of 20 bars never reaches: .* take more than 21 bars"),
        ({"entry_z": 0}, "greater than 0"),
        ({"exit_z": -0.1}, "greater than or equal to 0"),
        ({"exit_z": 2}, "exit_z is 2.0 and entry_z is 2.0: exit_z must be smaller"),
        ({"exit_z": float("nan")}, "finite"),
        ({"adx_period": 1}, "greater than or equal to 2"),
        ({"adx_gate": 0}, "greater than 0"),
        ({"adx_gate": 101}, "less than or equal to 100"),
        ({"atr_period": 0}, "greater than or equal to 1"),
        ({"stop_atr": 0}, "greater than 0"),
        ({"size": 1.01}, "less than or equal to 1"),
        ({"entry": 3}, "Extra inputs are not permitted"),
    ],
)
def test_out_of_bounds_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MeanReversionSettings(**given)


def test_the_smallest_window_that_can_reach_the_entry_is_accepted() -> None:
    assert MeanReversionSettings(window=6).window == 6
    assert MeanReversionSettings(window=22, entry_z=4.5).window == 22


def test_settings_cannot_be_changed_under_the_agent() -> None:
    settings = MeanReversionSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.window = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "bars"),
    [({}, 280), ({"window": 600}, 600), ({"adx_period": 20}, 400), ({"atr_period": 30}, 600)],
)
def test_warm_up_follows_the_slowest_indicator(given: dict[str, Any], bars: int) -> None:
    assert MeanReversionAgent(MeanReversionSettings(**given)).warm_up() == bars


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for name, field in MeanReversionSettings.model_fields.items():
        assert f"| `{name}` | {field.default:g} |" in readme
