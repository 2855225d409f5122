"""A profile's seats held against certificates: the part of the assembly that decides who may trade."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from coinswarm.clock import SECOND_NS, SystemClock, iso, to_ns
from coinswarm.config.home import home
from coinswarm.config.settings import check_settings, holds_path
from coinswarm.config.sources import Secret
from coinswarm.errors import NotReadyError
from coinswarm.feeds.length import parse_length
from coinswarm.plugins.admission import (
    Acceptance,
    Market,
    Seat,
    acceptances,
    below_silver,
    live_refusals,
    standing,
    uncertified,
)
from coinswarm.plugins.catalogue import Catalogue, attempt, resolve
from coinswarm.plugins.certificates import hold, read_all
from coinswarm.plugins.history import recall
from coinswarm.plugins.records import CORE, PluginRecord, Status
from coinswarm.plugins.standing import installed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from coinswarm.config.profile import Profile
    from coinswarm.declarations import Declaration, MemoryType
    from coinswarm.plugins.admission import Standing

__all__ = ["accepted", "below_silver", "live_refusals_of", "own_home", "standings", "uncertified"]

UNWRITTEN = "notebook"
"""How a profile is called that is in no file, so that no command can name it."""

JUDGED = ("agents.", "committee.", "costs.", "instruments.")
"""Keys of a profile that a certificate depends on begin so; others a command need not repeat, nor what they hold."""

COSTS = ("maker_bps", "taker_bps", "spread_bps", "slippage_bps")
"""Costs that evidence must have paid, by their keys."""


def standings(  # noqa: PLR0913 - what is seated, and how a command says it
    profile: Profile,
    catalogue: Catalogue,
    label: str,
    unplugged: Sequence[str],
    *,
    bar_seconds: int,
    said: Sequence[str] = (),
) -> tuple[Standing, ...]:
    """How what a profile seats stands by its certificates.

    :param said: what the operator set beside the profile, ``KEY=VALUE`` each: commands in messages repeat it.
    """
    seats = [
        _judged_seat(item.seat, "agent", item.name, item.settings, *catalogue.agents[item.name])
        for item in profile.agents
        if item.seat not in unplugged
    ]
    weigher, settings = profile.committee.weigher, profile.committee.settings
    seats.append(_judged_seat(f"weigher {weigher}", "weigher", weigher, settings, *catalogue.weighers[weigher]))
    if profile.memory is not None:
        name, settings = profile.memory.backend, profile.memory.settings
        seats.append(backend_seat(name, settings, *catalogue.memory_backend(name)))
    return _stand(profile, label, seats, tuple(catalogue.plugins.values()), bar_seconds, said)


def _stand(  # noqa: PLR0913 - the same
    profile: Profile,
    label: str,
    seats: Sequence[Seat],
    records: Sequence[PluginRecord],
    bar_seconds: int,
    said: Sequence[str],
) -> tuple[Standing, ...]:
    """Seats, held against the certificates of their plugins."""
    names = {seat.record.name for seat in seats if seat.record is not None} - {CORE}
    kept = [found for found in read_all(own_home()) if found.signed is not None and found.certificate.plugin in names]
    held = [hold(found, records) for found in kept]
    costs = {key: float(getattr(profile.costs, key)) for key in COSTS}
    market = Market(symbols=tuple(profile.symbols), bar_seconds=bar_seconds, costs=costs)
    demand, name = profile.demand.in_force(), label.removeprefix("profile ")
    known = "" if name == UNWRITTEN else name
    sets = [one for one in said if one.startswith(JUDGED)]
    return tuple(standing(seat, market, held, demand=demand, profile=known, said=sets) for seat in seats)


def _judged_seat(  # noqa: PLR0913 - a seat's parts
    label: str, kind: str, name: str, settings: Mapping[str, Any], declared: Declaration, record: PluginRecord
) -> Seat:
    """One seat of a loaded plugin."""

    def normal(given: Mapping[str, Any]) -> object:
        if not declared.settings:
            return dict(given)
        model = resolve(declared.settings, plugin=record)
        checked = check_settings(model, given, key="settings", label=label)
        return dict(checked)  # a dump would leave out what its author hides

    return Seat(label=label, kind=kind, name=name, settings=settings, record=record, normal=normal)


def backend_seat(name: str, settings: Mapping[str, Any], declared: MemoryType, record: PluginRecord) -> Seat:
    """A memory backend as certificates are held against it.

    Settings that say where it is count for nothing, because it was judged elsewhere: those of its ``trial``, paths,
    and secrets.
    """
    fields = resolve(declared.settings, plugin=record).model_fields if declared.settings else {}
    places = {*declared.trial, *(key for key, field in fields.items() if holds_path(field.annotation))}

    def manner(given: Mapping[str, Any]) -> dict[str, Any]:
        return {key: given[key] for key in given if key not in places and Secret.parse(given[key]) is None}

    def normal(given: Mapping[str, Any]) -> object:
        return manner({key: field.get_default(call_default_factory=True) for key, field in fields.items()} | {**given})

    words = ["coinswarm", "plugins", "check", record.name, "--kind", "memory"]
    if name != record.name:
        words += ["--object", name]
    for key, value in manner(settings).items():
        words += ["--set", f"{key}={json.dumps(value)}"]
    label, again = f"memory {name}", shlex.join(words)
    return Seat(
        label=label, kind="memory", name=name, settings=manner(settings), record=record, normal=normal, again=again
    )


def live_refusals_of(profile: Profile, label: str, said: Sequence[str] = ()) -> list[str]:
    """What admission finds against trading a profile live, a line for each thing; loads what may be loaded.

    :param label: what messages call the profile.
    """
    records = installed(own_home(), demanded=profile.trust)
    known = {record.name: record for record in recall(own_home(), records)}
    lines = [f"plugin {name!r} is not installed" for name in profile.plugins if name not in known]
    tried = attempt([name for name in profile.plugins if name in known], records)
    lines += [
        f"{record.label} is {record.status}: {record.reason}"
        for record in tried.records
        if record.status is not Status.LOADED
    ]
    mine = [known[name] for name in profile.plugins if name in known]
    seats = []
    for item in profile.agents:
        if item.name in tried.catalogue.agents:
            seats.append(_judged_seat(item.seat, "agent", item.name, item.settings, *tried.catalogue.agents[item.name]))
        else:
            record = _bringing("agent", item.name, mine)
            seats.append(Seat(label=item.seat, kind="agent", name=item.name, settings=item.settings, record=record))
    weigher = profile.committee.weigher
    if weigher in tried.catalogue.weighers:
        settings = profile.committee.settings
        found = tried.catalogue.weighers[weigher]
        seats.append(_judged_seat(f"weigher {weigher}", "weigher", weigher, settings, *found))
    if profile.memory is not None:
        name, settings = profile.memory.backend, profile.memory.settings
        if name in tried.catalogue.memory_backends:
            seats.append(backend_seat(name, settings, *tried.catalogue.memory_backends[name]))
        else:
            record = _bringing("memory backend", name, mine)
            again = f"coinswarm plugins check {record.name if record else name} --kind memory"
            seats.append(
                Seat(label=f"memory {name}", kind="memory", name=name, settings=settings, record=record, again=again)
            )
    lengths = {parse_length(item.bar) // SECOND_NS for item in profile.instruments if item.bar}
    found_now = _stand(profile, label, seats, tried.records, lengths.pop() if len(lengths) == 1 else 0, said)
    now = iso(SystemClock().now_ns())
    refused = live_refusals(found_now, accepted=_acceptances(profile), capital=float(profile.cash), now=now)
    return list(dict.fromkeys([*lines, *refused]))


def _bringing(kind: str, name: str, among: Sequence[PluginRecord]) -> PluginRecord | None:
    """The plugin that is known to bring something, though it is not loaded; None where there is none."""
    found = [one for one in among if f"{kind}: {name}" in one.provides or one.name == name]
    return found[0] if found else None


def accepted(profile: Profile, found: Sequence[Standing]) -> list[dict[str, Any]]:
    """Less evidence that the operator accepts, and whether that holds now."""
    now = iso(SystemClock().now_ns())
    return acceptances(found, _acceptances(profile), float(profile.cash), now)


def _acceptances(profile: Profile) -> list[Acceptance]:
    """What the profile accepts, as admission takes it."""
    return [
        Acceptance(
            agent=item.agent,
            digest=item.digest,
            reason=item.reason,
            cap_quote=float(item.cap_quote),
            expires=iso(to_ns(item.expires)),
        )
        for item in profile.accept_evidence
    ]


def own_home() -> Path | None:
    """Where decisions, memories and certificates are; None where there is no such folder."""
    try:
        return home()
    except NotReadyError:
        return None
