"""The only code that imports a plugin, and the only import of stevedore: one name at a time.

Traps that this file closes: stevedore's failure callback sees neither ``AssertionError`` nor
``SystemExit``; its default conflict resolver crashes on modules; its on-disk cache of entry points
loses their distribution and, hashing modification times as 32-bit floats, can be minutes stale, so
entry points are taken from the package metadata instead. A plugin may raise what is no ``Exception``
(``SystemExit``, a test framework's skip, a cancellation): only Ctrl-C passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from stevedore.driver import DriverManager
from stevedore.named import NamedExtensionManager

from coinswarm.errors import LoadError, one_line
from coinswarm.plugins.discovery import GROUP, entry_points
from coinswarm.plugins.records import PluginRecord, Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib import metadata

    from stevedore.extension import Extension, ExtensionManager


class _OneExtension(NamedExtensionManager[Any]):
    """Loads one name, from today's package metadata rather than from stevedore's cache."""

    def list_entry_points(self) -> list[metadata.EntryPoint]:
        """The entry points of that name, with their distributions."""
        return entry_points(self._names[0])


class _OneDriver(DriverManager[Any]):
    """The same for the one driver of its kind that a profile names."""

    def list_entry_points(self) -> list[metadata.EntryPoint]:
        """The entry points of that name, with their distributions."""
        return entry_points(self._names[0], self.namespace)


def load_plugin(record: PluginRecord, group: str = GROUP) -> object:
    """Import the object that an entry point names.

    :param record: a plugin or driver as discovered.
    :param group: the entry point group it was discovered in.
    :returns: the plugin's module, or the object its entry point names.
    :raises LoadError: when it does not stand as enabled, changed since it was discovered, or its
        import fails in any way, ``sys.exit`` included.
    """
    if record.status is not Status.ENABLED:
        message = f"{record.label} is {record.status}"
        raise LoadError(message, remedy=record.reason)

    def failed(_manager: ExtensionManager[Any], _point: metadata.EntryPoint, error: BaseException) -> NoReturn:
        raise error

    def missing(_names: Iterable[str]) -> NoReturn:
        message = f"{record.label} is no longer installed"
        raise LoadError(message, remedy="install it again, or remove it from the profile")

    def clash(_group: str, name: str, extensions: list[Extension[Any]]) -> NoReturn:
        targets = " and ".join(sorted(extension.entry_point_target for extension in extensions))
        message = f"two {record.noun}s are named {name!r}"
        raise LoadError(message, remedy=f"uninstall one of {targets}")

    how: Any = {
        "on_load_failure_callback": failed,
        "on_missing_entrypoints_callback": missing,
        "conflict_resolver": clash,
    }
    try:
        manager: NamedExtensionManager[Any]
        manager = (
            _OneExtension(group, [record.name], **how) if group == GROUP else _OneDriver(group, record.name, **how)
        )
        extension = manager[record.name]
    except (LoadError, KeyboardInterrupt):
        raise
    except BaseException as error:
        message = f"{record.label} cannot be imported ({one_line(error)})"
        remedy = f"repair or reinstall {record.distribution}, or do without {record.name!r} in the profile"
        raise LoadError(message, remedy=remedy) from error
    if extension.entry_point_target != record.target:
        message = f"{record.label} names {extension.entry_point_target!r}, not {record.target!r} as discovered"
        raise LoadError(message, remedy="it was changed meanwhile: start again")
    plugin: object = extension.plugin
    return plugin
