"""What the operator decided about plugins: ``$COINSWARM_HOME/plugins.toml``, written by hand or by commands.

::

    disabled = ["meanrev"]

    [blocked]
    news = "posts orders of its own"

    [trusted]
    trend = "coinswarm-trend==0.1.0 sha256:…"

    [signers]
    "ed25519:…" = "trusted with agent-trend.json"
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from coinswarm.errors import NotReadyError, OperatorError, nearest
from coinswarm.plugins.files import locked, replace_text
from coinswarm.plugins.records import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from coinswarm.plugins.records import PluginRecord

FILE = "plugins.toml"
_HEAD = "# What `coinswarm plugins disable|enable|block|trust|untrust` decided. May be edited; comments are not kept.\n"
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Policy:
    """Decisions by plugin name.

    :param disabled: switched off.
    :param blocked: refused, with the operator's reason.
    :param trusted: ``distribution==version sha256:...`` that alone may be loaded.
    :param signers: public keys whose certificates count, each with a note.
    """

    disabled: frozenset[str] = frozenset()
    blocked: Mapping[str, str] = field(default_factory=dict)
    trusted: Mapping[str, str] = field(default_factory=dict)
    signers: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Every plugin that a decision is about."""
        return self.disabled | self.blocked.keys() | self.trusted.keys()

    def key_of(self, decisions: Iterable[str], record: PluginRecord, names: Collection[str]) -> str:
        """Under which name, however spelt, a plugin is decided about; empty where it is not.

        Who writes the file by hand may mean the distribution, and what keeps a plugin out must not fail by a hyphen.

        :param names: of all plugins: what is one's name is not taken for another's distribution.
        """
        taken = {canonical(name) for name in names}
        mine = {canonical(record.name), *({canonical(record.distribution)} - taken)}
        found = [name for name in decisions if canonical(name) in mine]
        return min(found, key=lambda name: (name != record.name, name), default="")

    def with_signer(self, key: str, note: str) -> Policy:
        """The same decisions, and a key whose certificates count."""
        return replace(self, signers={**self.signers, key: note})


def read_policy(home: Path | None) -> Policy:
    """The decisions in force; none where there is no home or no file.

    :raises OperatorError: for a file that cannot be read or understood: what it forbids is then not
        known, so nothing may be loaded.
    """
    if home is None:
        return Policy()
    path = home / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Policy()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"the plugin policy {path} is not valid TOML ({' '.join(str(error).split())})"
        raise OperatorError(message, remedy="correct it, or move it away to begin anew") from None
    keys = ("disabled", "blocked", "trusted", "signers")
    for key in data:
        if key not in keys:
            message = f"the plugin policy {path} has the unknown key {key!r}"
            raise OperatorError(message, remedy=nearest(key, keys))
    disabled = data.get("disabled", [])
    if not isinstance(disabled, list) or not all(isinstance(name, str) for name in disabled):
        message = f"the plugin policy {path}: disabled is {disabled!r}"
        raise OperatorError(message, remedy='write a list of names, as in disabled = ["news"]')
    tables = {key: _table(path, key, data) for key in keys[1:]}
    return Policy(frozenset(disabled), **tables)


def _table(path: Path, key: str, data: Mapping[str, object]) -> dict[str, str]:
    """A table of the file: names to text."""
    table = data.get(key, {})
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        message = f"the plugin policy {path}: {key} is {table!r}"
        raise OperatorError(message, remedy=f'write a table [{key}] with lines such as news = "..."')
    return dict(table)


def change_policy(home: Path | None, change: Callable[[Policy], Policy]) -> Policy:
    """Replace the decisions in force by what ``change`` makes of them, and return those.

    :raises NotReadyError: where there is no home to keep them in.
    :raises OSError: when they cannot be written; nothing has changed then.
    """
    if home is None:
        message = "no folder to keep the decision in"
        raise NotReadyError(message, remedy="set COINSWARM_HOME to a folder")
    with locked(home / FILE):
        before = read_policy(home)
        after = change(before)
        if after != before:
            replace_text(home / FILE, as_toml(after))
    return after


def as_toml(policy: Policy) -> str:
    """The file that says a policy."""
    names = ", ".join(_text(name) for name in sorted(policy.disabled))
    parts = [_HEAD, f"disabled = [{names}]\n"]
    for key, table in (("blocked", policy.blocked), ("trusted", policy.trusted), ("signers", policy.signers)):
        if table:
            lines = (f"{_key(name)} = {_text(value)}\n" for name, value in sorted(table.items()))
            parts += [f"\n[{key}]\n", *lines]
    return "".join(parts)


def _key(name: str) -> str:
    """A key of a TOML table."""
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A TOML string: JSON's escapes are TOML's, but DEL must be escaped and is not by JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
