"""What an agent may claim, and whether it holds.

Two words, each about a kind of market of ``markets.ensembles``:

- ``edge:KIND``: it earns there, after costs. Shown where mean profit over the paths is above zero at ``alpha.SHOWN``.
- ``abstains:KIND``: it keeps out of it. Holds where the agent is in the market at most 5 % of the time.

An agent that claims nothing is judged on nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.errors import nearest
from coinswarm_testkit.evidence.alpha import SHOWN, student
from coinswarm_testkit.markets.ensembles import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coinswarm_testkit.evidence.tally import Tally

WORDS = ("edge", "abstains")
IDLE = 0.05
"""Share of the marks with a position, at most, of an agent that abstains."""


class Claim(NamedTuple):
    """One claim.

    :param word: of ``WORDS``.
    :param kind: of market.
    """

    word: str
    kind: str

    def __str__(self) -> str:
        return f"{self.word}:{self.kind}"

    def measured(self, found: Tally) -> tuple[float, float, bool]:
        """What it comes to, what it must come to, and whether it does."""
        if self.word == "edge":
            bar = student(SHOWN, len(found) - 1)
            return found.t, bar, found.t >= bar
        idle = float(found.exposed.mean())
        return idle, IDLE, idle <= IDLE


def understood(text: str) -> Claim:
    """A claim as it is declared.

    :raises ValueError: for one that is none, naming what is near.
    """
    word, _, kind = text.partition(":")
    if word not in WORDS:
        message = f"claim {text!r} begins with none of {', '.join(f'{one}:' for one in WORDS)}"
        raise ValueError(message)
    if kind not in KINDS:
        message = f"claim {text!r} is about no kind of market that there is: {nearest(kind, KINDS)}"
        raise ValueError(message)
    return Claim(word, kind)


def broken(claims: Iterable[str], tallies: Mapping[str, Tally]) -> list[str]:
    """The claims that do not hold, a line each."""
    lines = []
    for text in claims:
        try:
            claim = understood(text)
        except ValueError as error:
            lines.append(str(error))
            continue
        value, limit, holds = claim.measured(tallies[claim.kind])
        if not holds and claim.word == "edge":
            lines.append(
                f"{text}: mean profit after costs is {value:.2f} standard errors, {limit:.2f} would show an edge"
            )
        elif not holds:
            lines.append(f"{text}: in the market {value:.1%} of the time, {limit:.0%} is abstaining")
    return lines
