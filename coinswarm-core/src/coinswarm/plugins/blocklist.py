"""Distributions that core refuses wherever they are installed: known to lose data, money or keys.

An entry names the reason and, where there is one, the lowest version that is good again. It is the
last resort; an entry needs a public report to point to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.plugins.compat import at_least
from coinswarm.plugins.records import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.plugins.records import PluginRecord


class Blocked(NamedTuple):
    """Why a distribution is refused.

    :param reason: one line, for people.
    :param lowest_good: the first version that is good again; empty while there is none.
    """

    reason: str
    lowest_good: str = ""


BLOCKED: Mapping[str, Blocked] = {}
"""Distribution, lower case with hyphens -> why it is refused. Empty is good."""


def blocked_by_core(record: PluginRecord) -> str:
    """Why core refuses a plugin, with the remedy; empty where it does not."""
    entry = BLOCKED.get(canonical(record.distribution))
    if entry is None or (entry.lowest_good and at_least(record.version, entry.lowest_good)):
        return ""
    remedy = (
        f"upgrade to {entry.lowest_good} or later" if entry.lowest_good else "no good version is known: uninstall it"
    )
    return f"refused by core, {entry.reason}: {remedy}"
