"""Reads a number that decides from a place that its settings do not tell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from coinswarm_mutants.packaging._configured import Configured

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"P50"}


class Settings(BaseModel):
    """All but the one that matters."""

    model_config = ConfigDict(extra="forbid")
    window: int = 3


class TwinSettings(Settings):
    """All."""

    sure: float = 0.5


class Mutant(Configured):
    """Its confidence comes from the environment."""

    def __init__(self, settings: BaseModel) -> None:
        super().__init__(settings)
        self.sure = float(os.environ.get("SURE", "0.5"))

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """What the environment says."""
        return self.sure

    def get_config(self) -> dict[str, Any]:
        """Settings, and the one that nobody declared."""
        return {**super().get_config(), "sure": self.sure}


class Twin(Configured):
    """Its confidence is a setting."""

    settings: TwinSettings

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """What the settings say."""
        return self.settings.sure
