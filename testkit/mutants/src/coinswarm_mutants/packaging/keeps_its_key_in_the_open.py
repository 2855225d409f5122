"""A key that is declared as plain text."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, SecretStr

from coinswarm_mutants.packaging._configured import Configured

FAILS = {"P45"}


class Settings(BaseModel):
    """Every log line shows it."""

    model_config = ConfigDict(extra="forbid")
    api_token: str = ""


class TwinSettings(BaseModel):
    """pydantic masks it."""

    model_config = ConfigDict(extra="forbid")
    api_token: SecretStr = SecretStr("")


class Mutant(Configured):
    """Holds a token."""


class Twin(Configured):
    """Holds a token that is masked."""
