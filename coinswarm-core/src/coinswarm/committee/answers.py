"""What a weigher answers, judged: a third party's numbers never reach the desk unchecked."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.intent import ActionRow, Exposure
from coinswarm.errors import ContractError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.contracts import Weigher

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    Small = np.ndarray[tuple[int, int], np.dtype[Any]]

FULL = 10_000
_REMEDY = "answer whole basis points: exposure -10,000 to 10,000 and participation 0 to 10,000"


def ask(weigher: Weigher, row: ActionRow, weights: Sequence[int]) -> Exposure:
    """One row's exposure.

    :raises ContractError: when ``step`` raises, or answers with anything else than an Exposure in range.
    """
    try:
        answer: Any = weigher.step(row, weights)
    except Exception as error:
        message = f"{type(weigher).__name__}.step raised {one_line(error)}"
        raise ContractError(message, remedy="its author must mend it") from error
    if type(answer) is Exposure and type(answer[0]) is int and type(answer[1]) is int:
        exposure, participation = answer  # what almost every one is; any other is looked at more closely
        if -FULL <= exposure <= FULL and 0 <= participation <= FULL:
            return answer
    elif isinstance(answer, tuple) and len(answer) == len(Exposure._fields):
        exposure, participation = answer
        whole = isinstance(exposure, Integral) and isinstance(participation, Integral)
        if whole and -FULL <= exposure <= FULL and 0 <= participation <= FULL:
            return Exposure(int(exposure), int(participation))
    message = f"{type(weigher).__name__}.step answered {answer!r}"
    raise ContractError(message, remedy=_REMEDY)


def ask_all(weigher: Weigher, direction: Small, confidence: Small, weights: Sequence[int]) -> tuple[I1, I1]:
    """Exposure and participation of every bar.

    :raises ContractError: when ``weigh_all`` raises, or answers with anything else than rows in range.
    """
    name, n = f"{type(weigher).__name__}.weigh_all", direction.shape[1]
    try:
        table = np.asarray(weigher.weigh_all(direction, confidence, weights))
    except Exception as error:
        message = f"{name} raised {one_line(error)}"
        raise ContractError(message, remedy="its author must mend it") from error
    if table.shape != (n, 2) and not (n == 0 and table.size == 0):
        message = f"{name} answered {table.dtype} of shape {table.shape} for {n} bars"
        raise ContractError(message, remedy="return one row of exposure and participation per bar")
    table = table.reshape(n, 2)
    if n and (
        table.dtype.kind not in "iu"
        or not -FULL <= int(table[:, 0].min()) <= int(table[:, 0].max()) <= FULL  # the least integer has no absolute
        or not 0 <= int(table[:, 1].min()) <= int(table[:, 1].max()) <= FULL
    ):
        message = f"{name} answered {table.dtype} from {table.min()} to {table.max()}"
        raise ContractError(message, remedy=_REMEDY)
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
