"""The declaration: true to the agent, and cheap to read."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module, metadata

from coinswarm_meanrev import plugin
from coinswarm_meanrev.agent import MeanReversionAgent
from coinswarm_meanrev.reasons import WORDS, Reason
from coinswarm_meanrev.settings import MeanReversionSettings

DECLARED = """
import sys
from coinswarm_meanrev import plugin
assert [agent.name for agent in plugin.coinswarm_agents()] == ["meanrev"]
print(*sorted({"numpy", "numba", "pydantic", "pandas", "asyncio"} & set(sys.modules)))
"""


def test_the_targets_exist() -> None:
    (declared,) = plugin.coinswarm_agents()
    module, _, name = declared.target.partition(":")
    assert getattr(import_module(module), name) is MeanReversionAgent
    module, _, name = declared.settings.partition(":")
    assert getattr(import_module(module), name) is MeanReversionSettings


def test_the_declaration_says_what_the_agent_does() -> None:
    (declared,) = plugin.coinswarm_agents()
    assert declared.warm_up == MeanReversionAgent().warm_up() == 280
    assert declared.reasons == WORDS
    assert len(WORDS) == len(Reason)
    assert [int(reason) for reason in Reason] == list(range(len(Reason)))
    assert not declared.learns


def test_the_entry_point_names_the_module() -> None:
    (point,) = metadata.entry_points(group="coinswarm.plugins", name="meanrev")
    assert point.value == "coinswarm_meanrev.plugin"


def test_reading_the_declaration_loads_nothing_heavy() -> None:
    ran = subprocess.run([sys.executable, "-c", DECLARED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
