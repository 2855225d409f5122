"""pluggy, kept on a short lead: it calls plugins one by one and never finds or imports them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

import pluggy

from coinswarm import hookspecs
from coinswarm.errors import DeclarationError, LoadError, nearest, one_line
from coinswarm.plugins.watchers import WATCHING, Watcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coinswarm.plugins.records import PluginRecord


class _WrapperRefusedError(Exception):
    """A plugin tried to wrap a hook."""


class _Manager(pluggy.PluginManager):
    """Refuses wrappers: one could rewrite or erase what every other plugin declares."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> pluggy.HookimplOpts | None:  # noqa: ANN401 - pluggy's own
        """The options of a hook implementation, or None for anything else."""
        options = super().parse_hookimpl_opts(plugin, name)
        if options is not None and (options.get("wrapper") or options.get("hookwrapper")):
            raise _WrapperRefusedError(name)
        return options


def hook_arguments() -> Mapping[str, tuple[str, ...]]:
    """The names of the arguments of every hook, by hook name."""
    manager = _Manager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    callers = {name: getattr(manager.hook, name) for name in sorted(vars(manager.hook)) if not name.startswith("_")}
    return {name: tuple(caller.spec.argnames) for name, caller in callers.items()}


def _optional(caller: pluggy.HookCaller, plugin: object) -> bool:
    """Whether a plugin says of its hook that it need not be known."""
    return any(one.optionalhook for one in caller.get_hookimpls() if one.plugin is plugin)


class Hooks:
    """The registered plugins, and a way to ask each one alone."""

    def __init__(self) -> None:
        self._manager = _Manager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._plugins: dict[str, object] = {}

    def register(self, record: PluginRecord, plugin: object) -> None:
        """Take a plugin in; when it is refused, nothing of it stays.

        :raises LoadError: for wrappers, wrong arguments, unknown hooks, or no hook at all.
        """
        try:
            self._manager.register(plugin, name=record.name)
        except _WrapperRefusedError as error:
            message = f"{record.label} wraps the hook {error}, and wrappers are refused"
            raise LoadError(message, remedy="its author must use a plain @hookimpl") from None
        except pluggy.PluginValidationError as error:
            message = f"{record.label} implements a hook wrongly ({' '.join(str(error).split())})"
            raise LoadError(message, remedy="its author must take the arguments that docs/hooks.md lists") from error
        except ValueError as error:
            message = f"{record.label} cannot be registered ({one_line(error)})"
            raise LoadError(message, remedy="let two entry points not name one module") from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an entry point may name an object whose attributes raise
            message = f"{record.label} cannot be searched for hooks ({one_line(error)})"
            raise LoadError(message, remedy="its author must let the entry point name a module of hooks") from error
        try:
            self._check(record, plugin)
        except LoadError:
            self._manager.unregister(name=record.name)
            raise
        self._plugins[record.name] = plugin

    def _check(self, record: PluginRecord, plugin: object) -> None:
        """Hold that a registered plugin implements at least one hook, and only known ones."""
        callers = self._manager.get_hookcallers(plugin) or []
        if not any(caller.has_spec() or not _optional(caller, plugin) for caller in callers):
            message = f"{record.label} implements no hook"
            raise LoadError(message, remedy="its author must mark the hooks with coinswarm.hookimpl")
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            unknown = next((caller.name for caller in callers if not caller.has_spec()), "?")
            message = f"{record.label} implements the unknown hook {unknown!r}"
            raise LoadError(message, remedy=nearest(unknown, hook_arguments())) from error

    def unregister(self, name: str) -> None:
        """Forget a plugin."""
        self._manager.unregister(name=name)
        del self._plugins[name]

    def watched(self, record: PluginRecord) -> tuple[str, ...]:
        """The watching hooks that one plugin implements."""
        own = {caller.name for caller in self._manager.get_hookcallers(self._plugins[record.name]) or []}
        return tuple(hook for hook in WATCHING if hook in own)

    def watchers(self, records: Iterable[PluginRecord]) -> tuple[Watcher, ...]:
        """Those of the plugins that watch. Ask when all are registered: one that comes later would be called too."""
        own = [(record, self.watched(record)) for record in records]
        return tuple(
            Watcher(record, {hook: self._alone(record, hook) for hook in hooks}) for record, hooks in own if hooks
        )

    def _alone(self, record: PluginRecord, hook: str) -> pluggy.HookCaller:
        """What calls one plugin's implementation of a hook, and that of no other plugin registered by now."""
        others = [plugin for name, plugin in self._plugins.items() if name != record.name]
        return self._manager.subset_hook_caller(hook, remove_plugins=others)

    def ask(self, record: PluginRecord, hook: str) -> list[object]:
        """What one plugin answers to one declaring hook, as a list.

        :raises DeclarationError: when the hook raises, or answers with None or something else that is not iterable.
        """
        caller = self._alone(record, hook)
        answers: list[object] = []
        told: list[object] = []
        try:
            told = caller()
            for answer in told:
                if inspect.iscoroutine(answer):
                    answer.close()  # else Python warns, much later, that nobody awaited it
                answers.extend(cast("Iterable[object]", answer))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            message = f"{record.label}: {hook} failed ({one_line(error)})"
            raise DeclarationError(
                message, remedy="its author must return or yield declarations, from a plain def"
            ) from error
        if not told and caller.get_hookimpls():  # pluggy leaves None out
            message = f"{record.label}: {hook} returned None"
            raise DeclarationError(message, remedy="its author must return or yield declarations, or an empty list")
        return answers
