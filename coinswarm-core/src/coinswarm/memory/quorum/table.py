"""A mapping that is never changed: writing gives another one, at the price of writing to a dict.

``step`` is pure, and a burst leaves thousands of proposals open: copying at each event would cost more than the event.
The newest table of a line holds a dict. Writing hands the dict on, and what it came from keeps the one difference and
the way to the newer one; who reads an older table after all gets a copy of its own, made from the differences between
(H. G. Baker, "Shallow binding makes functional arrays fast", ACM SIGPLAN Notices 26 (1991)). Now and then the dict
itself is copied, so that what an old table keeps alive is bounded by what there is to keep.

One line of tables belongs to one thread at a time.
"""

# ruff: noqa: SLF001 - tables of one line write to one another

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

V = TypeVar("V")

_Held = dict[str, tuple[int, V]]
"""Key -> its place in the order, and its value."""

_FEW = 1_024
"""Writes after which the dict may be copied, at least."""


class Table(Generic[V]):
    """Strings to values, in the order in which a dict would have them: each where it was first put."""

    __slots__ = ("_data", "_key", "_newer", "_old", "_writes")

    _data: _Held[V] | None
    """None where a newer table has the dict."""
    _writes: int
    """Since the dict was copied: no place that was given is higher."""
    _newer: Table[V]
    _key: str
    """What the newer table was given."""
    _old: tuple[int, V] | None
    """What that key has here."""

    def __init__(self) -> None:
        self._data, self._writes = {}, 0

    def get(self, key: str) -> V | None:
        """The value of a key, or None."""
        data = self._data
        found = (self._copied() if data is None else data).get(key)
        return None if found is None else found[1]

    def of(self, keys: Iterable[str]) -> list[V]:
        """The values of those keys that have one, in the order of the keys."""
        data = self._held()
        return [data[key][1] for key in keys if key in data]

    def put(self, key: str, value: V) -> Table[V]:
        """This table, with the key's value replaced."""
        data = self._data
        if data is None:
            data = self._copied()
        made, data = self._next(data, key)
        old = data.get(key)
        data[key] = (made._writes if old is None else old[0], value)
        return made

    def drop(self, key: str) -> Table[V]:
        """This table without the key."""
        data = self._data
        if data is None:
            data = self._copied()
        if key not in data:
            return self
        made, data = self._next(data, key)
        del data[key]
        return made

    def _next(self, data: _Held[V], key: str) -> tuple[Table[V], _Held[V]]:
        """The table after this one, in which only a key may differ, and its dict: still as it is here."""
        made: Table[V] = object.__new__(Table)
        writes = self._writes + 1
        if not data or (writes > _FEW and writes > 2 * len(data)):
            # Copied: what comes from now on is kept alive by no table from before, nor by the empty one of a beginning.
            data = {name: (place, one[1]) for place, (name, one) in enumerate(data.items())}
            writes = len(data)
        else:
            self._data, self._key, self._old, self._newer = None, key, data.get(key), made
        made._data, made._writes = data, writes
        return made, data

    def _copied(self) -> _Held[V]:
        """What is here, from a newer table and all that was written since."""
        changes, table = [], self
        while table._data is None:
            changes.append((table._key, table._old))
            table = table._newer
        data = {**table._data, **dict(reversed(changes))}
        held = [(key, one) for key, one in data.items() if one is not None]
        held.sort(key=lambda item: item[1][0])
        self._data = found = dict(held)
        del self._newer, self._key, self._old
        return found

    def items(self) -> Iterator[tuple[str, V]]:
        """All keys with their values."""
        return iter([(key, one[1]) for key, one in self._held().items()])

    def values(self) -> Iterator[V]:
        """All values."""
        return iter([one[1] for one in self._held().values()])

    def _held(self) -> _Held[V]:
        return self._copied() if self._data is None else self._data

    def __iter__(self) -> Iterator[str]:
        return iter([*self._held()])

    def __contains__(self, key: str) -> bool:
        data = self._data
        return key in (self._copied() if data is None else data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]  # as a dict has none

    def __repr__(self) -> str:
        return f"Table({dict(self.items())})"

    def __len__(self) -> int:
        return len(self._held())
