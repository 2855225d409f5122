"""The declaration: true to the backend, and cheap to read."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module, metadata

from coinswarm_redis import plugin
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings

DECLARED = """
import sys
from coinswarm_redis import plugin
assert [memory.name for memory in plugin.coinswarm_memory_backends()] == ["redis"]
print(*sorted({"numpy", "pydantic", "redis", "asyncio"} & set(sys.modules)))
"""


def test_the_targets_exist() -> None:
    (declared,) = plugin.coinswarm_memory_backends()
    module, _, name = declared.target.partition(":")
    assert getattr(import_module(module), name) is RedisMemory
    module, _, name = declared.settings.partition(":")
    assert getattr(import_module(module), name) is RedisSettings


def test_the_entry_point_names_the_module() -> None:
    (point,) = metadata.entry_points(group="coinswarm.plugins", name="redis")
    assert point.value == "coinswarm_redis.plugin"


def test_reading_the_declaration_loads_nothing_heavy() -> None:
    ran = subprocess.run([sys.executable, "-c", DECLARED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
