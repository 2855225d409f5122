"""The embedder ``hashing``: words, pairs of words and parts of words, hashed into a vector.

The hashing trick (Weinberger et al., 2009). No model, no download, the same in every process.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import anyio.lowlevel
import numpy as np
from anyio import to_thread

from coinswarm.domain.health import Condition, Health
from coinswarm.errors import NotReadyError
from coinswarm.ports import Embedder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from coinswarm.drivers.settings import HashingSettings

    Vectors = np.ndarray[tuple[int, int], np.dtype[Any]]

_WORD = re.compile(r"\w+")
_PART = 3
"""Letters of a part of a word; a word has its ends marked, so that ``<bi`` and ``coi`` differ."""

_PART_WEIGHT = 0.3
"""A part counts less than the word: parts make spellings near, words make subjects near."""


class HashingEmbedder(Embedder):
    """Cosine of two texts grows with the words and parts of words that they share."""

    def __init__(self, settings: HashingSettings) -> None:
        self._dimension = settings.dimension
        self._open = False

    async def __aenter__(self) -> Self:
        """Open it."""
        await anyio.lowlevel.checkpoint()
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._open = False

    async def health(self) -> Health:
        """Good while it is open."""
        await anyio.lowlevel.checkpoint()
        return Health(Condition.GOOD) if self._open else Health(Condition.DOWN, "it is not open")

    @property
    def dimension(self) -> int:
        """Length of its vectors."""
        return self._dimension

    @property
    def version(self) -> str:
        """Changes with whatever changes a vector."""
        return f"hashing-1-{self._dimension}"

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row for each text."""
        if not self._open:
            message = "the hashing embedder is not open"
            raise NotReadyError(message, remedy="use it inside `async with`")
        given = list(texts)
        return await to_thread.run_sync(lambda: self._rows(given))

    def _rows(self, texts: list[str]) -> Vectors:
        rows = np.zeros((len(texts), self._dimension))
        for i, text in enumerate(texts):
            row = rows[i]
            for feature, weight in _features(text):
                number = _number(feature)
                row[(number >> 1) % self._dimension] += weight if number & 1 else -weight
            length = math.sqrt(math.fsum((row * row).tolist()))
            if length == 0.0:  # every feature met its opposite
                row[0] = length = 1.0
            row /= length
        return rows.astype(np.float32)


def _features(text: str) -> Iterator[tuple[str, float]]:
    """Features of a text with their weights; a text without words has one of its own."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode()).casefold())
    if not words:
        yield "", 1.0
        return
    counts = Counter(words)
    counts.update(f"{left} {right}" for left, right in pairwise(words))
    for feature, times in counts.items():
        yield f"w{feature}", 1.0 + math.log(times)
    parts: Counter[str] = Counter()
    for word in words:
        marked = f"<{word}>"
        parts.update(marked[i : i + _PART] for i in range(len(marked) - _PART + 1))
    for feature, times in parts.items():
        yield f"p{feature}", _PART_WEIGHT * (1.0 + math.log(times))


@lru_cache(maxsize=1 << 16)
def _number(feature: str) -> int:
    """63 bits of place and one of sign, the same in every process."""
    return int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
