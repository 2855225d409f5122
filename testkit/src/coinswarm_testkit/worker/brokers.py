"""Operations on brokers: watch an account while the judge makes things happen there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import anyio

from coinswarm_testkit.worker.place import Raised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.domain.trading import FillReport, OrderReport
    from coinswarm_testkit.worker.place import Place

ENDING_SECONDS = 3.0


def watching(place: Place, *, settings: Mapping[str, Any]) -> None:
    """Open a fresh broker and begin to watch; returns at once."""
    told: list[OrderReport | FillReport] = []
    how: list[Any] = []
    over, changed = threading.Event(), threading.Condition()

    async def tell(report: OrderReport | FillReport) -> None:
        await anyio.lowlevel.checkpoint()
        with changed:
            told.append(report)
            changed.notify_all()

    async def run() -> None:
        try:
            async with place.new(settings) as broker:
                await broker.watch(tell)
            how.append("Returned")
        except Exception as error:  # noqa: BLE001 - what it raises is the answer
            raised = Raised.of(error)
            how.extend((str(raised), list(raised.bases)))
        except BaseException:
            how.append("it was cancelled")
            raise
        finally:
            how.append(time.monotonic())
            over.set()

    place.objects["watching"] = (place.start(run), told, how, over, changed)


def told(place: Place, *, count: int, seconds: float) -> list[Any]:
    """Wait until so much was told, or the time is over; all that was."""
    _, reports, _, over, changed = place.objects["watching"]
    with changed:
        changed.wait_for(lambda: len(reports) >= count or over.is_set(), seconds)
        return list(reports)


def stopped(place: Place, *, cancel: bool, seconds: float) -> dict[str, Any]:
    """Cancel the watching, or wait for its end: how it ended and after how many seconds."""
    future, _, how, over, _ = place.objects.pop("watching")
    begin = time.monotonic()
    if cancel:
        future.cancel()
    if not over.wait(ENDING_SECONDS if cancel else seconds):
        future.cancel()
        return {"how": "it goes on", "bases": [], "seconds": ENDING_SECONDS}
    bases = how[1] if len(how) > 2 else []  # noqa: PLR2004 - words, ancestors, time
    return {"how": how[0], "bases": bases, "seconds": max(0.0, how[-1] - begin)}


OPERATIONS = {"watching": watching, "told": told, "stopped": stopped}
