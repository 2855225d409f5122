"""Keeps the highest price it ever saw on its class."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from coinswarm_mutants.agents._honest import Honest

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_mutants.agents._honest import Floats

FAILS = {"A15", "A25", "A30", "A32", "A50"}
APART = True


class Mutant(Honest):
    """A run changes the next one in its process."""

    runs: ClassVar[list[int]] = []

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """Less with every run that it ever began."""
        return 1 / (1 + len(self.runs))

    def __init__(self) -> None:
        self.runs.append(1)


class Twin(Honest):
    """Keeps what it needs on the object."""

    def __init__(self) -> None:
        self.runs = [1]

    def confidence(self, bars: Bars) -> Floats | float:  # noqa: ARG002 - the contract's form
        """The same for every run."""
        return 1 / (1 + len(self.runs))
