"""A bus that is away is told of though nobody sends anything; so is what it did not carry."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import anyio
import pytest

from coinswarm.domain.health import Condition, Health
from coinswarm.drivers.bus import LocalBus
from coinswarm.drivers.settings import LocalBusSettings
from coinswarm.errors import HaltedError, OperatorError, RetryableError, UnreachableError
from coinswarm.runtime.making import make_driver
from coinswarm.runtime.swarm import watching
from coinswarm.runtime.swarm.telling import Teller
from coinswarm.runtime.swarm.watching import watched

if TYPE_CHECKING:
    from coinswarm.ports import MessageBus

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The one that drivers are made for."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)


class Said(list[str]):
    """What people are told, as it can be waited for."""

    async def several(self, number: int) -> None:
        """Wait until so many lines were said."""
        with anyio.fail_after(30):
            while len(self) < number:  # noqa: ASYNC110 - who is told tells nobody
                await anyio.sleep(0.01)


class Shaky(LocalBus):
    """A bus whose health can be set."""

    reason = ""

    async def health(self) -> Health:
        return Health(Condition.DOWN, self.reason) if self.reason else await super().health()


async def test_it_is_told_once_that_the_bus_is_away_and_once_that_it_is_back() -> None:
    said = Said()
    teller = Teller("v1", said.append)
    async with Shaky(LocalBusSettings()) as bus:
        async with watched(bus, teller):
            bus.reason = "no line"
            await said.several(1)
            bus.tell(UnreachableError("still none", remedy="start it"))
            while teller.counts["bus away"] < 5:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.01)
            bus.reason = ""
            await said.several(2)
            bus.tell(UnreachableError("gone for a moment"))
            await said.several(4)
        bus.tell(UnreachableError("while it is left"))
    assert said == [
        "v1: the bus is away (no line); it is tried again",
        "v1: the bus is back",
        "v1: the bus is away (gone for a moment); it is tried again",
        "v1: the bus is back",
    ]


async def test_what_it_refuses_or_loses_is_told_once_and_counted() -> None:
    said: list[str] = []
    teller = Teller("v1", said.append)
    async with LocalBus(LocalBusSettings()) as bus, watched(bus, teller):
        for _ in range(3):
            bus.tell(OperatorError("v1 may not publish", remedy="let it"))
            bus.tell(RetryableError("those that follow are lost"))
    assert said == [
        "v1: the bus refuses something (v1 may not publish: let it)",
        "v1: the bus lost something (those that follow are lost); more are counted",
    ]
    assert teller.counts == {"bus refuses": 3, "bus drops": 3}


async def test_an_error_of_the_block_goes_on_as_it_was() -> None:
    async def halt() -> None:
        async with LocalBus(LocalBusSettings()) as bus, watched(bus, Teller("v1", pytest.fail)):
            message = "stop"
            raise HaltedError(message)

    with pytest.raises(HaltedError):
        await halt()


@pytest.mark.integration
@pytest.mark.usefixtures("nats_url")
async def test_a_server_that_is_stopped_is_told_of_by_who_only_listens() -> None:
    from coinswarm_testkit.servers.nats import nats_server  # noqa: PLC0415 - where there is one

    said = Said()
    with ExitStack() as first:
        url = first.enter_context(nats_server("# its own")).url
        settings = {"url": url, "first_pause": 0.01}
        bus = cast("MessageBus", make_driver("bus", "nats", settings, key="drivers.bus", label="p.toml"))
        async with bus, watched(bus, Teller("v1", said.append)):
            await anyio.to_thread.run_sync(first.close)
            await said.several(1)
            with nats_server("# its own", port=urlsplit(url).port or 0):
                await said.several(2)
    assert said[0].startswith(f"v1: the bus is away (the connection to the NATS server {url} is lost")
    assert said[1:] == ["v1: the bus is back"]
