"""Settings that ignore what they do not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from coinswarm_mutants.packaging._configured import Configured

FAILS = {"P40"}


class Settings(BaseModel):
    """A misspelt setting is ignored."""

    window: int = 3


class TwinSettings(Settings):
    """A misspelt setting is refused."""

    model_config = ConfigDict(extra="forbid")


class Mutant(Configured):
    """Takes what it is given."""


class Twin(Configured):
    """Takes what it knows."""
