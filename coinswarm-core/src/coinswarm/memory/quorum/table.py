"""A mapping that is never changed: writing gives another one, which shares most with it.

``step`` is pure, and a burst leaves thousands of proposals open: copying a plain dict at each event would cost more
than the event. A small table is one dict, copied; a large one is cut into buckets of which one is. Buckets are chosen
by CRC-32, so that the order of iteration is the same in every process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

V = TypeVar("V")

_BUCKETS = 256
_SMALL = 128
"""Keys up to which one dict holds all."""


class Table(Generic[V]):
    """Strings to values. Equal contents may iterate in different orders, after different histories of writes."""

    __slots__ = ("_buckets", "_size")

    def __init__(self) -> None:
        self._buckets: tuple[dict[str, V], ...] = ({},)
        self._size = 0

    def get(self, key: str) -> V | None:
        """The value of a key, or None."""
        return self._buckets[self._place(key)].get(key)

    def put(self, key: str, value: V) -> Table[V]:
        """This table, with the key's value replaced."""
        place = self._place(key)
        bucket = self._buckets[place]
        if key not in bucket and self._size == _SMALL and len(self._buckets) == 1:
            return self._cut().put(key, value)
        return self._with(place, {**bucket, key: value}, self._size + (key not in bucket))

    def drop(self, key: str) -> Table[V]:
        """This table without the key."""
        place = self._place(key)
        bucket = self._buckets[place]
        if key not in bucket:
            return self
        if self._size == 1:
            return Table()
        return self._with(place, {name: value for name, value in bucket.items() if name != key}, self._size - 1)

    def items(self) -> Iterator[tuple[str, V]]:
        """All keys with their values."""
        for bucket in self._buckets:
            yield from bucket.items()

    def values(self) -> Iterator[V]:
        """All values."""
        for bucket in self._buckets:
            yield from bucket.values()

    def _place(self, key: str) -> int:
        return crc32(key.encode()) % _BUCKETS if len(self._buckets) > 1 else 0

    def _cut(self) -> Table[V]:
        """The same, in buckets."""
        buckets: tuple[dict[str, V], ...] = tuple({} for _ in range(_BUCKETS))
        for key, value in self.items():
            buckets[crc32(key.encode()) % _BUCKETS][key] = value
        return self._made(buckets, self._size)

    def _with(self, place: int, bucket: dict[str, V], size: int) -> Table[V]:
        return self._made((*self._buckets[:place], bucket, *self._buckets[place + 1 :]), size)

    @classmethod
    def _made(cls, buckets: tuple[dict[str, V], ...], size: int) -> Table[V]:
        made = cls()
        made._buckets, made._size = buckets, size
        return made

    def __iter__(self) -> Iterator[str]:
        for bucket in self._buckets:
            yield from bucket

    def __contains__(self, key: str) -> bool:
        return key in self._buckets[self._place(key)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]  # as a dict has none

    def __repr__(self) -> str:
        return f"Table({dict(self.items())})"

    def __len__(self) -> int:
        return self._size
