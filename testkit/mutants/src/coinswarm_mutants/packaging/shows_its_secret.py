"""A key in the object's repr."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, SecretStr

from coinswarm_mutants.packaging._configured import Configured

FAILS = {"P45"}


class Settings(BaseModel):
    """Declares its key as it should."""

    model_config = ConfigDict(extra="forbid")
    api_key: SecretStr = SecretStr("")


class Mutant(Configured):
    """Prints it all the same."""

    settings: Settings

    def __repr__(self) -> str:
        return f"Mutant({self.settings.api_key.get_secret_value()})"


class Twin(Configured):
    """Says who it is, and no more."""

    def __repr__(self) -> str:
        return "Twin()"
