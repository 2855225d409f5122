"""The hashing embedder: near texts are near, and a vector is the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.drivers.hashing import HashingEmbedder
from coinswarm.drivers.settings import HashingSettings
from coinswarm.errors import NotReadyError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def embed(*texts: str, dimension: int = 384) -> NDArray[Any]:
    async def embedded() -> NDArray[Any]:
        async with HashingEmbedder(HashingSettings(dimension=dimension)) as embedder:
            return await embedder.embed(texts)

    return anyio.run(embedded)


def test_texts_that_share_words_or_spellings_are_nearer() -> None:
    rows = embed(
        "Bitcoin falls after the Fed raises rates",
        "Fed raises rates, bitcoin falling",
        "A new cake recipe with lemon",
    )
    assert rows[0] @ rows[1] > 0.4
    assert abs(float(rows[0] @ rows[2])) < 0.2


def test_the_vector_of_a_version_never_changes() -> None:
    row = embed("Bitcoin", dimension=16)[0]
    found = {int(place): round(float(row[place]), 4) for place in np.flatnonzero(row)}
    assert found == PINNED, "give it another version instead"


PINNED = {2: 0.2491, 3: 0.2491, 5: -0.2491, 6: 0.2491, 13: -0.8305, 15: -0.2491}


@given(texts=st.lists(st.text(max_size=30), max_size=5))
def test_rows_have_length_one_for_any_text(texts: list[str]) -> None:
    rows = embed(*texts, dimension=16)
    assert rows.shape == (len(texts), 16)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_outside_of_async_with_it_does_nothing() -> None:
    with pytest.raises(NotReadyError, match="not open"):
        anyio.run(HashingEmbedder(HashingSettings()).embed, ["x"])
