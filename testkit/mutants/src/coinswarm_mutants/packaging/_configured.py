"""An honest agent with settings, whatever model they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from pydantic import BaseModel


class Configured(Honest):
    """Keeps its settings and tells them."""

    def __init__(self, settings: BaseModel) -> None:
        self.settings = settings

    def get_config(self) -> dict[str, Any]:
        """The settings in force; pydantic masks what is secret."""
        return self.settings.model_dump(mode="json")
