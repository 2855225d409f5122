"""P: what a plugin costs and refuses before it decides anything."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from coinswarm.config.settings import check_settings
from coinswarm.errors import CoinswarmError
from coinswarm_testkit.checks.check import CheckFailedError, CheckSkipped
from coinswarm_testkit.replay import surroundings
from coinswarm_testkit.subject import named

if TYPE_CHECKING:
    from coinswarm_testkit.subject import Subject

HEAVY = ("numpy", "numba", "pydantic")
"""What the import of a plugin's module must not bring along."""

_IMPORT = f"""
import importlib, sys
importlib.import_module(sys.argv[1])
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""


def light_import(subject: Subject, seed: int) -> None:  # noqa: ARG001 - a check's form
    """P20: importing the plugin's module loads nothing heavy, in a fresh process."""
    if not subject.plugin_module:
        message = "the agent comes without a plugin"
        raise CheckSkipped(message)
    ran = subprocess.run(  # noqa: S603 - an argument list of our own
        [sys.executable, "-c", _IMPORT, subject.plugin_module],
        env=surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        message = f"{subject.plugin_module} cannot be imported: {(ran.stderr.strip().splitlines() or ['?'])[-1]}"
        raise CheckFailedError(message)
    if ran.stdout.strip():
        message = f"importing {subject.plugin_module} loads {ran.stdout.strip()}: declare targets as strings"
        raise CheckFailedError(message)


def unknown_settings_refused(subject: Subject, seed: int) -> None:  # noqa: ARG001 - a check's form
    """P40: a setting that the model does not know is refused, and the defaults are accepted."""
    if not subject.settings_target:
        message = "it declares no settings"
        raise CheckSkipped(message)
    model = named(subject.settings_target)
    try:
        check_settings(model, subject.settings, key="settings", label=subject.name)
    except CoinswarmError as error:
        message = f"its own settings are refused: {error}"
        raise CheckFailedError(message) from error
    try:
        check_settings(model, {**subject.settings, "no_such_setting": 1}, key="settings", label=subject.name)
    except CoinswarmError as error:
        if "no_such_setting" in str(error):
            return
        message = f"an unknown setting is refused for another reason: {error}"
        raise CheckFailedError(message) from error
    message = f"{subject.settings_target} accepts the unknown setting 'no_such_setting'"
    raise CheckFailedError(message)
