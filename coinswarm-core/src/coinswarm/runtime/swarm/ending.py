"""How a part ends: the error of one that stopped for good, and which of several errors is told."""

from __future__ import annotations

from coinswarm.errors import HaltedError
from coinswarm.memory.quorum.reader import Halt


def halted(name: str, why: str) -> HaltedError:
    """The error of a part that stopped for good.

    :param why: beginning with a ``Halt``.
    """
    if why.startswith(Halt.SPLIT_BRAIN):
        remedy = (
            "the database is not the one it was: a restored backup, a replica, a rewritten past. Stop every voter, and "
            "point them at the primary; or restore the newest copy, and run coinswarm memory verify"
        )
    else:
        remedy = "an entry was changed. Stop every voter, keep a copy of the database, run coinswarm memory verify"
    return HaltedError(f"{name} has stopped for good ({why})", remedy=f"{remedy}. See docs/swarm.md")


def first_of(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to be told, of a group that tasks raised together: one that stops for good before others."""
    flat: list[BaseException] = []
    todo: list[BaseException] = [errors]
    while todo:
        error = todo.pop()
        if isinstance(error, BaseExceptionGroup):
            todo += error.exceptions
        else:
            flat.append(error)
    flat.sort(key=lambda error: not isinstance(error, HaltedError))
    return flat[0]
