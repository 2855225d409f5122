"""What comes of a check: held, failed, does not apply; and what a plugin did instead of answering."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Number = int | float | str | bool | None
"""What a measurement is: a number, or a word where none was to be had."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a check measured.

    :param values: by name.
    :param limits: what was demanded of a value of the same name, as text or number.
    """

    values: Mapping[str, Number] = field(default_factory=dict)
    limits: Mapping[str, Number] = field(default_factory=dict)


class CheckFailedError(AssertionError):
    """The subject does not hold what the check demands; one line says where.

    :param measured: what was measured until then.
    """

    def __init__(self, message: str, measured: Measured | None = None) -> None:
        super().__init__(message)
        self.measured = measured


class CheckSkipped(Exception):  # noqa: N818 - no error: the check does not apply
    """The subject is none that the check is about; the message says why."""


class CheckIncompleteError(CheckSkipped):
    """The check is about the subject, and could not be run here; the message says what it needs."""


class PluginRaisedError(CheckFailedError):
    """The plugin raised where it should have answered.

    :param kind: class name of what it raised.
    :param text: its message.
    :param bases: class names of its ancestors.
    """

    def __init__(self, kind: str, text: str, bases: tuple[str, ...] = ()) -> None:
        super().__init__(f"it raised {kind}: {text}" if text else f"it raised {kind}")
        self.kind, self.text, self.bases = kind, text, bases


class NoAnswerError(CheckFailedError):
    """The plugin's process ended, hung, or wrote something that is no answer."""


class Result(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It does not apply; counts as passed."""
    INCOMPLETE = "incomplete"
    """It applies and could not be run here: nothing is known, and no tier is reached that it is of."""
    WAIVED = "waived"
    """It failed, and its author said why that is to be."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check ended.

    :param id, title, category, tier: of the check.
    :param reason: why it failed, was skipped or waived, in one line; empty when it passed.
    :param measured: what it measured.
    :param seconds: how long it took.
    """

    id: str
    title: str
    category: int
    tier: str
    result: Result
    reason: str = ""
    measured: Measured = field(default_factory=Measured)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether it does not stand in the way."""
        return self.result not in {Result.FAILED, Result.INCOMPLETE}
