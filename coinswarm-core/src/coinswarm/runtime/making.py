"""Objects that plugins declare, made with their settings; and what calls those that watch."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, cast

from coinswarm.config.home import home
from coinswarm.config.settings import check_settings
from coinswarm.config.sources import reveal_all, without_secrets
from coinswarm.contracts import MemoryBackend, Voter
from coinswarm.errors import ContractError, PluginError, ProfileError, one_line
from coinswarm.plugins.catalogue import attempt, resolve
from coinswarm.plugins.drivers import GROUPS, find_driver
from coinswarm.plugins.standing import installed
from coinswarm.plugins.watchers import tell
from coinswarm.runtime.admission import own_home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from coinswarm.declarations import Declaration
    from coinswarm.engine.events import Event
    from coinswarm.plugins.records import PluginRecord
    from coinswarm.ports import Driver


def make_voter(plugins: Sequence[str], name: str, settings: Mapping[str, Any], *, key: str, label: str) -> Voter:
    """How one seat of the quorum judges, constructed.

    :param plugins: to load, by name; core is always there.
    :param name: the voter, as its plugin declares it.
    :param settings: its table in the profile; :param key: where that stands.
    :param label: what messages call the profile.
    :raises CoinswarmError: one line for whatever stands in the way.
    """
    catalogue = attempt(plugins, installed(own_home())).whole()
    declared, record = catalogue.voter(name)
    return cast("Voter", construct(declared, record, settings, Voter, key=key, label=label))


def make_backend(
    plugins: Sequence[str], name: str, settings: Mapping[str, Any], *, key: str, label: str
) -> MemoryBackend:
    """A memory backend, constructed; as ``make_voter``."""
    catalogue = attempt(plugins, installed(own_home())).whole()
    declared, record = catalogue.memory_backend(name)
    return cast(
        "MemoryBackend", construct(declared, record, settings, MemoryBackend, key=key, label=label, secrets=True)
    )


def make_driver(  # noqa: PLR0913 - what a message needs
    kind: str,
    name: str,
    settings: Mapping[str, Any],
    *,
    key: str,
    label: str,
    demanded: Sequence[str] | None = None,
) -> Driver:
    """The driver that a profile names, constructed and not yet opened.

    :param kind: ``broker``, ``bus``, ``timeseries``, ``documents`` or ``embedder``.
    :param settings: its table in the profile.
    :param key: where that stands, as in ``bus.settings``.
    :param label: what messages call the profile.
    :param demanded: trust entries of a profile whose mode demands trust; None where it does not.
    :raises CoinswarmError: one line for whatever stands in the way.
    """
    declared, record = find_driver(kind, name, home=home(), demanded=demanded)
    port = GROUPS[kind].port
    return cast("Driver", construct(declared, record, settings, port, key=key, label=label, secrets=True))


def listeners(plugins: Sequence[str], hook: str) -> tuple[tuple[str, ...], Callable[[Sequence[Event]], list[str]]]:
    """Those of some plugins that implement a watching hook, by name, and what tells them of events.

    One that does not come back is told nothing more, for as long as that is used.

    :returns: names, and what calls them; that returns what went wrong, a line each.
    """
    watchers = [one for one in attempt(plugins, installed(own_home())).whole().watchers if hook in one.calls]
    left: set[str] = set()
    return tuple(one.record.name for one in watchers), lambda events: tell(watchers, lambda: events, left=left)


def construct(  # noqa: PLR0913 - what a message needs
    declared: Declaration,
    record: PluginRecord,
    given: Mapping[str, Any],
    contract: type,
    *,
    key: str,
    label: str,
    secrets: bool = False,
) -> object:
    """Build a declared object with its checked settings.

    :param secrets: whether references to secrets in its settings are replaced by the secrets; agents are given none.
    :raises ContractError: when its constructor raises.
    :raises NotReadyError: for a secret that is not there.
    """
    target = resolve(declared.target, plugin=record, contract=contract)
    arguments: tuple[object, ...] = ()
    if declared.settings:
        model = resolve(declared.settings, plugin=record)
        arguments = (check_settings(model, given, key=key, label=label, secrets=secrets),)
    elif given:
        message = f"{key} holds {', '.join(sorted(given))}, but {declared.name!r} has no settings"
        raise ProfileError(message, remedy="remove them")
    try:
        return target(*arguments)
    except (PluginError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
        told, whole = one_line(error), "".join(traceback.format_exception(error))
        shown = whole
        if secrets:
            revealed = reveal_all(given)
            told, shown = (without_secrets(text, given, revealed) for text in (told, whole))
        message = f"{record.label}: {declared.target} cannot be constructed ({told})"
        # With --debug the cause is shown, and with it what it quotes.
        raise ContractError(message, remedy="its author must mend it") from (error if shown == whole else None)
