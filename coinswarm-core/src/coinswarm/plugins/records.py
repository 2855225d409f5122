"""What is known about one plugin: where it comes from, how it stands, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from coinswarm.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable


class Status(StrEnum):
    """How a plugin stands. Only what is asked for by a profile is ever loaded."""

    ENABLED = "enabled"
    """Installed and may be loaded."""
    DISABLED = "disabled"
    """Switched off by the operator."""
    BLOCKED = "blocked"
    """Refused by a block list."""
    UNTRUSTED = "untrusted"
    """The mode demands trust that it has not been given."""
    INCOMPATIBLE = "incompatible"
    """Made for another version of the plugin interface."""
    CONFLICT = "conflict"
    """Its name, or a name that it declares, is taken by another plugin."""
    FAILED = "failed"
    """It could not be imported, registered or asked."""
    REJECTED = "rejected"
    """Its certificate does not reach what the mode demands."""
    LOADED = "loaded"
    """Imported, and its declarations are valid."""


DECIDED = (Status.DISABLED, Status.BLOCKED, Status.UNTRUSTED, Status.REJECTED)
"""Kept out by a decision of the operator or of core: the operator can change it."""

BROKEN = (Status.FAILED, Status.CONFLICT, Status.INCOMPATIBLE, Status.UNTRUSTED, Status.REJECTED)
"""Something is wrong; disabled and blocked plugins are as somebody wanted them."""


class Origin(StrEnum):
    """How its distribution was installed."""

    WHEEL = "wheel"
    EDITABLE = "editable"
    """Runs from a source tree that may change under it."""
    OTHER = "other"
    """Metadata on the path that no installer wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """One entry point of the group ``coinswarm.plugins``, or of a driver group.

    :param name: the entry point's name; profiles name the plugin or driver by it.
    :param distribution: the installed distribution that brings it.
    :param version: that distribution's version.
    :param target: what the entry point names, ``package.module`` or ``package.module:object``.
    :param origin: how the distribution was installed.
    :param status: how the plugin stands.
    :param reason: why, in one line; empty for enabled and loaded.
    :param provides: ``kind: name`` of each declaration, known only after loading.
    :param made_for: the versions of coinswarm-core that its metadata ask for, as ``>=0.1,<1``.
    :param warnings: what its author should mend although it works, one line each.
    :param trust: ``name==version sha256:...`` that the operator gave it, and that still holds.
    :param noun: what messages call it, ``plugin`` or ``driver``.
    :param as_of: when ``provides``, ``warnings`` or a failure were found, if that was an earlier load;
        ISO 8601, UTC.
    """

    name: str
    distribution: str
    version: str
    target: str
    origin: Origin
    status: Status = Status.ENABLED
    reason: str = ""
    provides: tuple[str, ...] = ()
    made_for: str = ""
    warnings: tuple[str, ...] = ()
    trust: str = ""
    as_of: str = ""
    noun: str = "plugin"

    @property
    def label(self) -> str:
        """How messages call it: name, distribution and version."""
        return f"{self.noun} {self.name!r} ({self.distribution} {self.version})"

    @property
    def broken(self) -> bool:
        """Whether something is wrong that nobody decided: what must never be silent."""
        return self.status in BROKEN

    def judged(self, status: Status, reason: str = "") -> PluginRecord:
        """Return the same plugin with another status."""
        return replace(self, status=status, reason=reason)

    def loaded(self, provides: tuple[str, ...], warnings: tuple[str, ...] = ()) -> PluginRecord:
        """Return the same plugin as loaded, with what it provides."""
        return replace(self, status=Status.LOADED, reason="", provides=provides, warnings=self.warnings + warnings)


CORE = "core"
"""Core's own plugin; always loaded."""

CORE_DISTRIBUTION = "coinswarm-core"

OURS = ("meanrev", "nats", "redis", "trend")
"""Plugins and drivers that are published beside core, as ``coinswarm-NAME``."""


def to_install(name: str, known: Iterable[str]) -> str:
    """What to do about a plugin or driver that is not installed.

    :param known: the names of those that are.
    """
    how, hint = f"pip install coinswarm-{name}" if name in OURS else "install it", nearest(name, known)
    return f"{hint} Else {how}" if hint.endswith("?") else f"{how} ({hint})"


def canonical(distribution: str) -> str:
    """A distribution's name as all spellings of it compare."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
