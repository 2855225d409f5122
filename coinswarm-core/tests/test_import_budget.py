"""What a command may load: asserted on ``sys.modules`` in a fresh process, not on time."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from coinswarm.cli import COMMANDS
from coinswarm.plugins.discovery import discover

pytestmark = pytest.mark.integration

HEAVY = {
    "alembic", "anyio", "asyncio", "llvmlite", "numba", "numpy", "pandas", "pluggy", "psycopg", "pyarrow", "pydantic",
    "sqlalchemy", "stevedore",
}  # fmt: skip

METADATA = (
    "drivers",
    "blocklist", "certificate", "certificates", "compat", "discovery", "files", "history", "policy", "records",
    "shield", "signing", "standing", "trust",
)  # fmt: skip
"""Modules that tell how plugins stand; none of them imports a plugin, stevedore or pluggy."""

PROBE = """
import json, sys
before = set(sys.modules)
from coinswarm.cli import main
code = main(sys.argv[1:])
sys.stdout.flush()
print(json.dumps([code, sorted(set(sys.modules) - before)]), file=sys.stderr)
"""


def loaded(*args: str) -> set[str]:
    """The modules that a command line loads."""
    done = subprocess.run([sys.executable, "-c", PROBE, *args], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


def third_party(modules: set[str]) -> set[str]:
    """Top-level names that are neither ours nor the standard library's."""
    tops = {name.partition(".")[0] for name in modules}
    return {top for top in tops if top not in sys.stdlib_module_names and top != "coinswarm"}


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_loads_click_alone(flag: str) -> None:
    modules = loaded(flag)
    assert third_party(modules) == {"click"}
    assert not {name for name in modules if name.partition(".")[0] in HEAVY}
    ours = {name for name in modules if name.startswith("coinswarm")}
    assert ours == {"coinswarm", "coinswarm.cli", "coinswarm.cli.groups", "coinswarm.cli.telling", "coinswarm.errors"}
    assert "importlib.metadata" not in modules


@pytest.mark.parametrize("args", [("plugins", "list"), ("plugins", "list", "--json"), ("plugins", "info", "core")])
def test_listing_adds_the_reading_of_metadata_alone(args: tuple[str, ...]) -> None:
    modules = loaded(*args)
    assert third_party(modules) == {"click"}
    assert not {name for name in modules if name.partition(".")[0] in HEAVY}
    assert "importlib.metadata" in modules
    assert {name for name in modules if name.startswith("coinswarm.plugins")} == {
        "coinswarm.plugins",
        *(f"coinswarm.plugins.{name}" for name in METADATA),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_loads_nothing_heavy(name: str) -> None:
    if importlib.util.find_spec(COMMANDS[name][0]) is None:
        pytest.skip(f"{COMMANDS[name][0]} is not written yet")
    assert third_party(loaded(name, "--help")) == {"click"}


@pytest.mark.parametrize("target", sorted(record.target for record in discover()))
def test_what_an_entry_point_names_loads_nothing_heavy(target: str) -> None:
    probe = f"import sys, {target.partition(':')[0]}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    tops = {name.partition(".")[0] for name in done.stdout.split()}
    assert "pluggy" in tops
    assert not tops & (HEAVY - {"pluggy"})
