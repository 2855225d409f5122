"""Operations on drivers: open one, do some steps, leave it; all in one task, as ``async with`` demands."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import anyio

from coinswarm_testkit.worker.place import Raised, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coinswarm.ports import Driver
    from coinswarm_testkit.worker.place import Place


def told(answer: object) -> list[Any]:
    """An answer, or what was raised, for the judge."""
    if isinstance(answer, Raised):
        return ["raised", answer.kind, answer.text, answer.bases]
    return ["is", answer]


async def _done(driver: Driver, step: Step) -> Any:  # noqa: ANN401 - whatever it answers
    """What one step answers, or ``Raised``; a step may name a property."""
    try:
        member = getattr(driver, step.method)
        answer = member(*step.args, **step.kwargs) if callable(member) else member
        return await answer if inspect.isawaitable(answer) else answer
    except Exception as error:  # noqa: BLE001 - what it raises is the answer
        return Raised.of(error)


async def _at_once(driver: Driver, steps: Sequence[Step]) -> list[Any]:
    """What steps answer that are taken at the same time."""
    answers: list[Any] = [None] * len(steps)

    async def one(number: int, step: Step) -> None:
        answers[number] = await _done(driver, step)

    async with anyio.create_task_group() as group:
        for number, step in enumerate(steps):
            group.start_soon(one, number, step)
    return answers


def scene(place: Place, *, settings: Mapping[str, Any], steps: Sequence[Step | Sequence[Step]]) -> list[Any]:
    """Open a fresh driver, take the steps in order, leave it; what each answered.

    :param steps: a sequence among them is taken at the same time, and answered one by one.
    """

    async def play() -> list[Any]:
        answers: list[Any] = []
        async with place.new(settings) as driver:
            for step in steps:
                if isinstance(step, Step):
                    answers.append(told(await _done(driver, step)))
                else:
                    answers.extend(told(answer) for answer in await _at_once(driver, step))
        return answers

    answers: list[Any] = place.wait(play)
    return answers


def cold(place: Place, *, settings: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """How a driver is before, inside and after ``async with``: a step outside, and its health."""

    async def play() -> dict[str, Any]:
        driver = place.new(settings)
        running = len(asyncio.all_tasks())
        before, outside = await _done(driver, Step("health")), await _done(driver, step)
        async with driver:
            inside = await _done(driver, Step("health"))
        after, late = await _done(driver, Step("health")), await _done(driver, step)
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        return {
            "before": told(before), "outside": told(outside), "inside": told(inside),
            "after": told(after), "late": told(late),
            "left": max(0, len(asyncio.all_tasks()) - running),
        }  # fmt: skip

    answers: dict[str, Any] = place.wait(play)
    return answers


OPERATIONS = {"scene": scene, "cold": cold}
