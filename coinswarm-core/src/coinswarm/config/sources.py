"""Where a profile's values come from: TOML, ``--set`` overrides, and secrets by reference."""

from __future__ import annotations

import importlib
import os
import stat
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from coinswarm.errors import NotReadyError, ProfileError, nearest, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Vault = Literal["env", "keyring", "file"]
VAULTS: tuple[Vault, ...] = ("env", "keyring", "file")

_MAY_HOLD_SECRETS = frozenset({"drivers", "memory", "swarm", "committee"})
"""Tables of which no message shows a value that was misspelt."""

_NOT_TOML = (tomllib.TOMLDecodeError, ValueError, ArithmeticError, RecursionError)
"""TOML that is none, and numbers and brackets beyond what Python reads."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference to a secret. It never holds the secret itself, so printing it is safe.

    :param vault: ``env`` (an environment variable), ``keyring`` (``service/user`` in the system's
        keyring) or ``file`` (a file that only its owner may read).
    :param name: the variable, entry or path.
    """

    vault: Vault
    name: str

    @classmethod
    def parse(cls, value: object) -> Secret | None:
        """The reference that a TOML value makes, or None where it is an ordinary value."""
        if isinstance(value, dict) and len(value) == 1:
            vault, name = next(iter(value.items()))
            if vault in VAULTS and isinstance(name, str) and name:
                return cls(cast("Vault", vault), name)
        return None

    def as_toml(self) -> dict[str, str]:
        """The reference as it stands in a profile."""
        return {self.vault: self.name}

    def __str__(self) -> str:
        return f'{{{self.vault} = "{self.name}"}}'

    def reveal(self) -> str:
        """The secret itself; never log, print or store what this returns.

        :raises NotReadyError: when it is not there, or others could read it.
        """
        read = {"env": self._from_environment, "keyring": self._from_keyring, "file": self._from_file}[self.vault]
        value = read().rstrip("\r\n")  # what was pasted, or written by echo, ends a line
        if not value.strip():
            message = f"the secret {self} is empty"
            raise NotReadyError(message, remedy="store it first")
        return value

    def _from_environment(self) -> str:
        value = os.environ.get(self.name)
        if value is None:
            message = f"the secret {self} is not set"
            raise NotReadyError(message, remedy=f"export {self.name} before starting")
        return value

    def _from_keyring(self) -> str:
        service, slash, user = self.name.rpartition("/")
        if not (slash and service and user):
            message = f"the secret {self} does not name service/user"
            raise NotReadyError(message, remedy='write {keyring = "service/user"}')
        try:
            keyring = importlib.import_module("keyring")
        except ImportError:
            message = f"the secret {self} needs the package keyring, which is not installed"
            raise NotReadyError(message, remedy="install keyring, or use {env=…} or {file=…}") from None
        try:
            value: str | None = keyring.get_password(service, user)
        except Exception as error:
            message = f"the secret {self} cannot be read ({one_line(error)})"
            raise NotReadyError(message, remedy="unlock the keyring, or use {env=…} or {file=…}") from error
        if value is None:
            message = f"the secret {self} is not in the keyring"
            raise NotReadyError(message, remedy=f"run: keyring set {service} {user}")
        return value

    def _from_file(self) -> str:
        try:
            path = Path(self.name).expanduser()
            with path.open(encoding="utf-8-sig") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if os.name == "posix" and mode & 0o077:
                    message = f"the secret {self} may be read by others (mode {mode:04o})"
                    raise NotReadyError(message, remedy=f"run: chmod 600 {path}")
                return file.read()
        except OSError as error:
            message = f"the secret {self} cannot be read ({error.strerror})"
            raise NotReadyError(message, remedy="name a file that exists and is yours") from None
        except UnicodeDecodeError:
            message = f"the secret {self} is not text"
            raise NotReadyError(message, remedy="store it as UTF-8") from None
        except (ValueError, RuntimeError) as error:  # a NUL, or the home of nobody who is known
            message = f"the secret {self} names no file ({one_line(error)})"
            raise NotReadyError(message, remedy="write its whole path") from None


def reveal_all(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` with every secret reference replaced by its secret, for the driver alone.

    :raises NotReadyError: as ``Secret.reveal``.
    """
    return {key: _revealed(value) for key, value in settings.items()}


def _revealed(value: object) -> object:
    secret = Secret.parse(value)
    if secret is not None:
        return secret.reveal()
    if isinstance(value, dict):
        return reveal_all(value)
    return [_revealed(inner) for inner in value] if isinstance(value, list) else value


def secrets_in(settings: object, revealed: object) -> Iterator[str]:
    """The secrets that ``reveal_all`` put into settings, each as it is and as ``repr`` spells it."""
    if isinstance(revealed, str):
        if Secret.parse(settings) is not None:
            yield from (revealed, repr(revealed)[1:-1])
    elif isinstance(settings, dict) and isinstance(revealed, dict):
        for key, value in settings.items():
            yield from secrets_in(value, revealed[key])
    elif isinstance(settings, list) and isinstance(revealed, list):
        for value, inner in zip(settings, revealed, strict=True):
            yield from secrets_in(value, inner)


def without_secrets(text: str, settings: object, revealed: object) -> str:
    """A text in which ``…`` stands for every secret that ``reveal_all`` put into settings."""
    for secret in sorted(secrets_in(settings, revealed), key=len, reverse=True):  # one may be the begin of another
        text = text.replace(secret, "…")
    return text


def anchored(path: str, folder: Path) -> str:
    """A path that stands in a profile of ``folder``, relative to the working directory.

    :raises ProfileError: where it begins with the home of nobody who is known.
    """
    try:
        return str(folder / Path(path).expanduser())
    except RuntimeError:
        message = f"{path!r} begins with a home folder that is not known"
        raise ProfileError(message, remedy="write the folder's name out") from None


class InFolder(str):
    """A text of settings, as a profile has it; where a model says that it is a path, it is meant from there.

    :ivar folder: of the profile.
    """

    __slots__ = ("folder",)
    folder: Path

    def __new__(cls, text: str, folder: Path = Path()) -> Self:
        """The text, of a profile there."""
        made = super().__new__(cls, text)
        made.folder = folder
        return made

    def place(self) -> str:
        """The path, relative to the working directory.

        :raises ProfileError: as ``anchored``.
        """
        return anchored(str(self), self.folder)


def anchor_texts(value: Any, folder: Path) -> Any:  # noqa: ANN401 - whatever settings hold
    """Settings whose texts know the profile's folder; references to secrets stay as they are."""
    if isinstance(value, dict) and Secret.parse(value) is None:
        return {key: anchor_texts(inner, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [anchor_texts(inner, folder) for inner in value]
    return InFolder(value, folder) if isinstance(value, str) and value else value


def anchor_references(value: object, folder: Path) -> None:
    """Make the paths of all references to secret files relative to the working directory, in place."""
    if isinstance(value, dict):
        secret = Secret.parse(value)
        if secret is None:
            for inner in value.values():
                anchor_references(inner, folder)
        elif secret.vault == "file":
            value["file"] = anchored(secret.name, folder)
    elif isinstance(value, list):
        for inner in value:
            anchor_references(inner, folder)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; numbers with a point become exact Decimals.

    :raises ProfileError: when the file cannot be read, or is not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows write a byte order mark
    except OSError as error:
        message = f"profile {path} cannot be read ({error.strerror})"
        raise ProfileError(message, remedy="name a file that exists and is yours to read") from None
    except UnicodeDecodeError:
        message = f"profile {path} is not text"
        raise ProfileError(message, remedy="save it as UTF-8") from None
    return parse_toml(text, str(path))


def parse_toml(text: str, label: str) -> dict[str, Any]:
    """The tables of TOML text; numbers with a point become exact Decimals.

    :param label: names the text in errors.
    :raises ProfileError: when it is not TOML; says the line.
    """
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except _NOT_TOML as error:
        message = f"{label} is not valid TOML ({' '.join(str(error).split())})"
        raise ProfileError(message, remedy="correct that line") from None


def parse_override(text: str) -> tuple[tuple[str, ...], Any]:
    """``("risk", "max_position_bp"), 3000`` for ``risk.max_position_bp=3000``.

    The value is TOML; where it is not, it is taken as text, so that ``weigher=median`` needs no quotes.

    :raises ProfileError: when there is no key, or more than a value after ``=``.
    """
    key, equals, value = text.partition("=")
    parts = tuple(part.strip().strip("\"'") for part in key.split("."))
    if not equals or not all(parts):
        message = f"--set {f'{key}=…' if equals else key!r} is not KEY=VALUE"
        raise ProfileError(message, remedy="write for example --set risk.max_position_bp=3000")
    if "\n" in value:
        message = f"--set {key}: the value has more than one line"
        raise ProfileError(message, remedy="give each key a --set of its own")
    try:
        return parts, tomllib.loads(f"value = {value}", parse_float=Decimal)["value"]
    except _NOT_TOML:
        if any(mark in value for mark in "[]{}\"'"):
            shown = "…" if parts[0] in _MAY_HOLD_SECRETS else repr(value)
            message = f"--set {key}: {shown} is not a TOML value"
            raise ProfileError(message, remedy="quote it for the shell, as in 'plugins=[\"trend\"]'") from None
        return parts, value.strip()


def apply_override(data: dict[str, Any], parts: tuple[str, ...], value: object) -> tuple[str | int, ...]:
    """Put ``value`` at the dotted place in ``data``, in place.

    An entry of a list is named by its number or by its id, name or symbol: ``agents.trend.weight_bp``.

    :returns: where it was put, lists by number.
    :raises ProfileError: when the place lies in something that is not a table, or no such entry exists.
    """
    place: Any = data
    loc: list[str | int] = []
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(place, list):
            index = _entry(place, part, ".".join(parts))
            loc.append(index)
            if last:
                place[index] = value
            else:
                place = place[index]
        elif isinstance(place, dict):
            loc.append(part)
            if last:
                place[part] = value
            else:
                place = place.setdefault(part, {})
        else:
            message = f"--set {'.'.join(parts)}: {'.'.join(parts[:depth])!r} is not a table"
            raise ProfileError(message, remedy="shorten the key")
    return tuple(loc)


def _entry(entries: list[Any], part: str, key: str) -> int:
    """The number of the list entry that ``part`` names."""
    if part.isdecimal() and int(part) < len(entries):
        return int(part)
    names: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if isinstance(entry, dict):
            label = entry.get("id") or entry.get("name") or entry.get("symbol")
            names.setdefault(str(label), number)
    if part in names:
        return names[part]
    message = f"--set {key}: there is no entry {part!r}"
    raise ProfileError(message, remedy=nearest(part, names))
