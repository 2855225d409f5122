"""The committee, one bar at a time: HOLD resolved, weighed, participation and hysteresis (S1, S3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.committee.answers import ask
from coinswarm.domain.intent import FLAT_INTENT, ActionRow, Intent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.committee.rules import CommitteeRules
    from coinswarm.contracts import Weigher
    from coinswarm.domain.intent import Exposure

HOLD = 2
DROPPED = 3

Rounded = tuple[int, int, int, int, int]
"""Direction code, confidence_bp (-1 abstains), size_bp, stop_ticks, take_ticks. Direction 3 with -1: core
masks the row (warm-up, hole), and the last target is gone."""


class Committee:
    """The stances and the standing intent of one instrument; ``intent`` is the one in force.

    ``heard`` are the actions that it was made from: while they are repeated, nothing changes.

    :param weights: basis points per seat, summing to 10,000.
    :param cap_ticks: no bracket distance counts for more.
    """

    __slots__ = (
        "_cap",
        "_direction",
        "_rules",
        "_seats",
        "_shortable",
        "_stance",
        "_weigher",
        "_weights",
        "heard",
        "intent",
    )

    def __init__(
        self, weigher: Weigher, weights: Sequence[int], rules: CommitteeRules, *, shortable: bool, cap_ticks: int
    ) -> None:
        self._weigher = weigher
        self._weights = tuple(weights)
        self._seats = range(len(self._weights))
        self._rules = rules
        self._shortable = shortable
        self._cap = cap_ticks
        self._stance: list[Rounded] = [(0, 0, 0, 0, 0)] * len(self._weights)
        self.intent: Intent = FLAT_INTENT
        self.heard: list[Rounded] = []

    def step(self, actions: list[Rounded]) -> Intent:
        """Take in one rounded action per seat; returns the intent in force."""
        self.heard = actions
        stances = self._stance
        directions: list[int] = []
        confidences: list[int] = []
        presences: list[bool] = []
        for seat, action in enumerate(actions):
            direction, confidence = action[0], action[1]
            if confidence >= 0 and direction != HOLD:
                if direction == 0 or (direction < 0 and not self._shortable):
                    stances[seat] = (0, 0, action[2], action[3], action[4])
                else:
                    stances[seat] = action
            elif confidence < 0 and direction == DROPPED:
                stances[seat] = (0, 0, 0, 0, 0)
            present = confidence >= 0
            directions.append(stances[seat][0])
            confidences.append(stances[seat][1] if present else 0)
            presences.append(present)
        row = ActionRow(directions, confidences, presences)
        self.intent = self._next(ask(self._weigher, row, self._weights), actions)
        return self.intent

    def _next(self, exposure: Exposure, actions: list[Rounded]) -> Intent:
        """Participation and hysteresis."""
        e, participation = exposure
        rules, before = self._rules, self.intent
        x = before.exposure_bp
        if participation < rules.participation_bp or participation == 0:
            if participation == 0 or x == 0:
                return before
            toward = e if x > 0 else -e
            if toward >= abs(x):
                return before
            toward = max(toward, 0)
            if toward < rules.exit_bp:
                toward = 0
            return before._replace(exposure_bp=toward if x > 0 else -toward) if toward else FLAT_INTENT
        stays = x != 0 and (e > 0) == (x > 0) and e != 0 and abs(e) >= rules.exit_bp
        enters = e != 0 and abs(e) >= rules.enter_bp
        if not (stays or enters):
            return FLAT_INTENT
        return self._with_bracket(e, actions)

    def _with_bracket(self, x: int, actions: list[Rounded]) -> Intent:
        """Size and bracket: weighted means over the present agents that agree with the side."""
        side = 1 if x > 0 else -1
        agreeing = [
            a for a in self._seats if actions[a][1] >= 0 and self._stance[a][0] == side and self._weights[a] > 0
        ]
        if not agreeing:  # a short of what cannot be shorted is for the gate to refuse
            return FLAT_INTENT if side > 0 or self._shortable else FLAT_INTENT._replace(exposure_bp=x)

        if len(agreeing) == 1:
            _, _, size, stop, take = self._stance[agreeing[0]]
            return Intent(x, size, min(stop, self._cap), min(take, self._cap), 1 << agreeing[0])

        def mean(column: int, *, none: bool, cap: int) -> int:
            given = [a for a in agreeing if not none or self._stance[a][column] > 0]
            weight = sum(self._weights[a] for a in given)
            return sum(self._weights[a] * min(self._stance[a][column], cap) for a in given) // weight if given else 0

        return Intent(
            x,
            mean(2, none=False, cap=1 << 40),
            mean(3, none=True, cap=self._cap),
            mean(4, none=True, cap=self._cap),
            sum(1 << a for a in agreeing),
        )
