"""How every installed plugin stands: its metadata, judged by core's requirements and the operator's decisions.

Imports no plugin. A decision to keep a plugin out comes before what is wrong with it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from coinswarm.errors import OperatorError
from coinswarm.plugins.blocklist import blocked_by_core
from coinswarm.plugins.compat import admits
from coinswarm.plugins.discovery import GROUP, discover
from coinswarm.plugins.policy import read_policy
from coinswarm.plugins.records import CORE, CORE_DISTRIBUTION, PluginRecord, Status, canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from coinswarm.plugins.policy import Policy

STRICT = "COINSWARM_STRICT_PLUGINS"
_WORDS = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


def installed(
    home: Path | None, *, demanded: Sequence[str] | None = None, group: str = GROUP
) -> tuple[PluginRecord, ...]:
    """Every installed plugin, or driver of a group, and how it stands, sorted by name and distribution.

    :param home: where the operator's decisions are; None where there is no such folder.
    :param demanded: trust entries of a profile that demands trust; None where the mode demands none.
        Trust that the operator gave and that no longer holds keeps a plugin out in any mode.
    :raises OperatorError: when the decisions cannot be read.
    """
    records = discover()
    policy = read_policy(home)
    core = next((record.version for record in records if record.name == CORE and _is_core(record)), "")
    names = {record.name for record in records}
    if group != GROUP:
        records = discover(group)
        names |= {record.name for record in records}
    return tuple(_judged(record, core, policy, names, demanded) for record in records)


def strict() -> bool:
    """Whether any broken plugin is fatal: ``COINSWARM_STRICT_PLUGINS=1``.

    :raises OperatorError: for a value that is neither yes nor no.
    """
    value = os.environ.get(STRICT, "")
    try:
        return _WORDS[value.strip().lower()]
    except KeyError:
        message = f"{STRICT} is {value!r}"
        raise OperatorError(message, remedy="set it to 1 or 0") from None


def _is_core(record: PluginRecord) -> bool:
    return canonical(record.distribution) == CORE_DISTRIBUTION


def _judged(
    record: PluginRecord, core: str, policy: Policy, names: Collection[str], demanded: Sequence[str] | None
) -> PluginRecord:
    """One plugin after all rules that need no import."""
    if _is_core(record):
        return record
    record = _decided(record, policy, names)
    if record.status is Status.ENABLED:
        record = _fitting(record, core)
    given = policy.trusted.get(policy.key_of(policy.trusted, record, names))
    return _trusted(record, given, demanded) if record.status is Status.ENABLED else record


def _decided(record: PluginRecord, policy: Policy, names: Collection[str]) -> PluginRecord:
    """One plugin after the block lists and the operator's decisions."""
    refused = blocked_by_core(record)
    if refused:
        return record.judged(Status.BLOCKED, refused)
    if key := policy.key_of(policy.blocked, record, names):
        reason = f"blocked by the operator, {policy.blocked[key]}: coinswarm plugins enable {key}"
        return record.judged(Status.BLOCKED, reason)
    if key := policy.key_of(policy.disabled, record, names):
        return record.judged(Status.DISABLED, f"switched off by the operator: coinswarm plugins enable {key}")
    return record


def _fitting(record: PluginRecord, core: str) -> PluginRecord:
    """One plugin after the question whether it was made for this core."""
    fits = admits(record.made_for, core) if record.made_for else None
    if fits is None:
        return replace(record, warnings=(*record.warnings, _unknown_fit(record)))
    if fits:
        return record
    reason = (
        f"it asks for {CORE_DISTRIBUTION}{record.made_for}, and this is {core}: "
        f"install a version of {record.distribution} that is made for it"
    )
    return record.judged(Status.INCOMPATIBLE, reason)


def _unknown_fit(record: PluginRecord) -> str:
    """The warning for a plugin that does not say which core it is made for."""
    what = f"cannot be read ({record.made_for})" if record.made_for else "is missing"
    return (
        f"its requirement on {CORE_DISTRIBUTION} {what}: its author must write one, as in {CORE_DISTRIBUTION}>=0.1,<1"
    )


def _trusted(record: PluginRecord, given: str | None, demanded: Sequence[str] | None) -> PluginRecord:
    """One plugin after the question whether its bytes are the trusted ones."""
    if given is None and demanded is None:
        return record
    from coinswarm.plugins.trust import distrust  # noqa: PLC0415 - reads every file of the plugin

    entries: Iterable[str] = [*([given] if given else []), *(demanded or [])]
    if given is not None:
        reason = distrust(record, [given])
        if reason:
            return record.judged(Status.UNTRUSTED, reason)
    reason = distrust(record, entries)
    return record.judged(Status.UNTRUSTED, reason) if reason else replace(record, trust=given or "by the profile")
