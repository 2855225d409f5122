"""P: what a plugin costs, does and refuses before it decides anything."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from coinswarm.plugins.drivers import GROUPS
from coinswarm.plugins.records import canonical
from coinswarm.plugins.watching import BUDGET_SECONDS, HEAVY
from coinswarm_testkit.checks.check import EVERY_KIND, Check
from coinswarm_testkit.checks.meddling import meddling
from coinswarm_testkit.verdicts import CheckFailedError, CheckSkipped, Measured

if TYPE_CHECKING:
    from coinswarm_testkit.bench import Bench

DECLARED = EVERY_KIND.difference(GROUPS)
"""Kinds whose contract has ``get_config``: all but drivers."""

UNKNOWN = "no_such_setting"
TRIES = 3
"""P20: the least of so many readings counts: another process may have held the cores in one of them."""

STARTERS = frozenset({"sitecustomize.py", "usercustomize.py"})
"""Modules that every Python process imports by itself."""

LOADERS = {
    "pydantic": "every process that uses pydantic",
    "numba_extensions": "every process that compiles with numba",
    "pytest11": "every pytest session",
}
"""Groups of entry points that a library imports unasked, and where: coinswarm's own processes are among them."""


def declaration_valid(bench: Bench) -> None:
    """P10: the plugin loads, and what it declares is a class of its contract that can be made."""
    subject = bench.subject
    with bench.alone() as link:
        if subject.plugin:
            declared = link.ask("subjects.found", plugin=subject.plugin)
            if not any((one["name"], one["kind"]) == (subject.name, subject.kind) for one in declared):
                message = f"plugin {subject.plugin!r} declares no {subject.kind} {subject.name!r}"
                raise CheckFailedError(message)
        problem = link.ask("packaging.built")
    if problem:
        raise CheckFailedError(problem)


def _probed(bench: Bench) -> dict[str, object]:
    """What a bare process found when it imported the plugin's module and asked it, the quickest of a few."""
    module = bench.subject.plugin_module
    if not module:
        message = "it comes without a plugin"
        raise CheckSkipped(message)
    if "probed" not in bench.kept:
        bench.kept["probed"] = min((bench.probe(module, HEAVY) for _ in range(TRIES)), key=lambda one: one["seconds"])
    found: dict[str, object] = bench.kept["probed"]
    if found["problem"]:
        message = f"{module} cannot be imported: {found['problem']}"
        raise CheckFailedError(message)
    return found


def light_import(bench: Bench) -> Measured:
    """P20: importing the plugin's module and asking it is quick and loads nothing heavy, in a fresh process."""
    found = _probed(bench)
    milliseconds = round(float(str(found["seconds"])) * 1000, 1)
    limit = round(BUDGET_SECONDS * 1000)
    measured = Measured({"CPU ms": milliseconds}, {"CPU ms": f"<= {limit}"})
    module = bench.subject.plugin_module
    if found["heavy"]:
        names = ", ".join(map(str, found["heavy"])) if isinstance(found["heavy"], list) else "?"
        message = f"importing {module} loads {names}: declare targets as strings"
        raise CheckFailedError(message, measured)
    if milliseconds > limit:
        message = f"importing {module} takes {milliseconds} ms of CPU, more than {limit}: move work into its targets"
        raise CheckFailedError(message, measured)
    return measured


def quiet_import(bench: Bench) -> None:
    """P25: importing the plugin's module and asking it opens no connection, starts nothing and writes nothing."""
    found = _probed(bench)
    seen = found["seen"] if isinstance(found["seen"], list) else []
    if seen:
        what = ", ".join(dict.fromkeys(map(str, seen)))
        message = f"importing {bench.subject.plugin_module} does more than declare: {what}"
        raise CheckFailedError(message)


def runs_nothing_by_itself(bench: Bench) -> None:
    """P30: the distribution installs nothing that runs unasked, and nothing into others' packages."""
    name = bench.subject.distribution
    if not name:
        message = "it comes without a distribution"
        raise CheckSkipped(message)
    found = metadata.distribution(name)
    if '"editable": true' in (found.read_text("direct_url.json") or "").replace('":true', '": true'):
        message = "it is an editable install, which works by such a file"
        raise CheckSkipped(message)
    for point in found.entry_points:
        if point.group in LOADERS:
            message = f"{name} registers {point.value} with {point.group}: {LOADERS[point.group]} imports it"
            raise CheckFailedError(message)
    owners = metadata.packages_distributions()
    for file in found.files or ():
        path = PurePosixPath(file.as_posix())
        if path.suffix == ".pth" or (path.name in STARTERS and len(path.parts) == 1):
            message = f"{name} installs {path}, which every Python process runs at its start"
            raise CheckFailedError(message)
        top = path.parts[0]
        if path.is_absolute() or top in {"..", "__pycache__"} or top.endswith((".dist-info", ".data")):
            continue
        others = sorted({one for one in owners.get(top.removesuffix(".py"), ()) if canonical(one) != canonical(name)})
        if others:
            message = f"{name} installs {path} into a package of {', '.join(others)}"
            raise CheckFailedError(message)


def leaves_the_judge_alone(bench: Bench) -> None:
    """P35: no module of the distribution names the judge's parts, or changes what it imported from core."""
    name = bench.subject.distribution
    if not name:
        message = "it comes without a distribution"
        raise CheckSkipped(message)
    for file in metadata.distribution(name).files or ():
        if file.suffix != ".py":
            continue
        try:
            source = Path(str(file.locate())).read_bytes()
        except FileNotFoundError:
            continue  # whether it is there is asked before there is a certificate
        for line, what in meddling(source):
            message = f"{name}: line {line} of {file} {what}"
            raise CheckFailedError(message)


def unknown_settings_refused(bench: Bench) -> None:
    """P40: a setting that the model does not know is refused, and the defaults are accepted."""
    _demand_settings(bench)
    with bench.link() as link:
        problem = link.ask("packaging.refused", unknown=UNKNOWN)
    if problem:
        raise CheckFailedError(problem)


def secrets_hidden(bench: Bench) -> None:
    """P45: a secret setting is a SecretStr, and no text about the object shows it."""
    _demand_settings(bench)
    with bench.link() as link:
        found = link.ask("packaging.leaks")
    if found:
        raise CheckFailedError(found[0] if len(found) == 1 else f"{found[0]} (and {len(found) - 1} more)")


def configuration_told(bench: Bench) -> None:
    """P50: ``get_config`` tells the settings in force: all of them, no others, and no secret."""
    with bench.link() as link:
        told = link.ask("packaging.configured")
    stated = {name: value for name, value in told["settings"].items() if name not in told["secret"]}
    config = {name: value for name, value in told["config"].items() if name not in told["secret"]}
    for name in stated.keys() | config.keys():
        if name not in stated:
            message = f"get_config tells {name!r}, which is no setting of its model: declare it there"
            raise CheckFailedError(message)
        if name not in config or config[name] != stated[name]:
            found = repr(config[name]) if name in config else "nothing"
            message = f"the setting {name!r} is {stated[name]!r}, but get_config says {found}"
            raise CheckFailedError(message)


def _demand_settings(bench: Bench) -> None:
    """Skip where there is nothing to set."""
    if not bench.subject.settings_target:
        message = "it declares no settings"
        raise CheckSkipped(message)


CHECKS = (
    Check("P10", "the declaration is valid", 0, declaration_valid, EVERY_KIND, "bronze"),
    Check("P20", "importing the plugin is quick and loads nothing heavy", 0, light_import, EVERY_KIND, "bronze"),
    Check("P25", "importing the plugin starts nothing", 0, quiet_import, EVERY_KIND, "bronze", safety=True),
    Check("P30", "nothing runs by itself", 0, runs_nothing_by_itself, EVERY_KIND, "bronze", safety=True),
    Check("P35", "core and the judge are left alone", 0, leaves_the_judge_alone, EVERY_KIND, "bronze", safety=True),
    Check("P40", "unknown settings are refused", 0, unknown_settings_refused, EVERY_KIND, "bronze"),
    Check("P45", "secrets are hidden", 0, secrets_hidden, EVERY_KIND, "bronze", safety=True),
    Check("P50", "get_config tells the settings in force", 0, configuration_told, DECLARED, "bronze"),
)
