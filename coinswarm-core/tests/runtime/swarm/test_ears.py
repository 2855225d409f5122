"""Ears: open at first, closed without a use, open again when there is one, all subjects or what the bus let through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import UnreachableError
from coinswarm.runtime.swarm.ears import LISTEN_SECONDS, Ears

if TYPE_CHECKING:
    from coinswarm.domain.stored import Message
    from coinswarm.ports import OnMessage, Subscription

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


class Stumbling(LocalBus):
    """Is away at some subscriptions."""

    away = 0

    async def subscribe(self, pattern: str, handler: OnMessage, *, group: str = "") -> Subscription:
        if self.away and pattern == "b":
            self.away -= 1
            message = "away"
            raise UnreachableError(message)
        return await super().subscribe(pattern, handler, group=group)


async def hear(_message: Message) -> None:
    """Nothing."""


def heard(bus: LocalBus) -> list[str]:
    return [word for word in ("a", "b") for one in bus._subscriptions if one.hears([word])]


async def test_they_are_open_while_there_is_a_use_for_them_and_a_while_longer() -> None:
    async with LocalBus(LocalBusSettings()) as bus:
        ears = Ears(bus, ("a", "b"), hear, 100.0)
        await ears.open()
        await ears.use(100.0 + LISTEN_SECONDS, needed=False)
        assert heard(bus) == ["a", "b"]
        await ears.use(100.1 + LISTEN_SECONDS, needed=False)
        assert heard(bus) == []
        for now, needed in ((200.0, True), (200.0 + LISTEN_SECONDS, False), (205.0 + LISTEN_SECONDS, True)):
            await ears.use(now, needed=needed)
            assert heard(bus) == ["a", "b"], "each once"
        await ears.close()
        assert heard(bus) == []


async def test_what_a_bus_that_is_away_left_out_is_listened_to_next_time() -> None:
    async with Stumbling(LocalBusSettings()) as bus:
        bus.away = 2
        ears = Ears(bus, ("a", "b"), hear, 0.0)
        for _ in range(2):
            with pytest.raises(UnreachableError):
                await ears.use(1.0, needed=True)
            assert heard(bus) == ["a"]
        await ears.use(1.0, needed=True)
        assert heard(bus) == ["a", "b"]
        await ears.close()
