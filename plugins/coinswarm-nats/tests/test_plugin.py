"""The declaration: true to the bus, and cheap to read."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module, metadata

from coinswarm_nats import plugin
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.settings import NatsSettings

DECLARED = """
import sys
from coinswarm_nats import plugin
assert plugin.bus.name == "nats"
print(*sorted({"nats", "ssl", "cryptography", "pydantic", "anyio", "asyncio"} & set(sys.modules)))
"""


def test_the_targets_exist() -> None:
    module, _, name = plugin.bus.target.partition(":")
    assert getattr(import_module(module), name) is NatsBus
    module, _, name = plugin.bus.settings.partition(":")
    assert getattr(import_module(module), name) is NatsSettings


def test_the_entry_point_names_the_declaration() -> None:
    (point,) = metadata.entry_points(group="coinswarm.buses", name="nats")
    assert point.value == "coinswarm_nats.plugin:bus"


def test_reading_the_declaration_loads_nothing_heavy() -> None:
    ran = subprocess.run([sys.executable, "-c", DECLARED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
