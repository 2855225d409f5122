"""Has a setting that decides, and that its model leaves out of what it dumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from coinswarm_mutants.packaging._configured import Configured

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"P50"}


class Settings(BaseModel):
    """How sure it is, for nobody to read."""

    model_config = ConfigDict(extra="forbid")
    sure: float = Field(0.5, exclude=True)


class TwinSettings(BaseModel):
    """The same in the open."""

    model_config = ConfigDict(extra="forbid")
    sure: float = 0.5


class Mutant(Configured):
    """Is as sure as it is told."""

    settings: Settings

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """What the settings say."""
        return self.settings.sure


class Twin(Configured):
    """The same, and tells it."""

    settings: TwinSettings

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """What the settings say."""
        return self.settings.sure
