"""X: what an embedder makes of texts, in any process, beside any others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.drivers import arena, demand, lifecycle, scene, sound
from coinswarm_testkit.verdicts import CheckFailedError
from coinswarm_testkit.worker.place import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.subject import Kind

EMBEDDER: frozenset[Kind] = frozenset({"embedder"})
LENGTH_TOLERANCE = 1e-3
ROW_TOLERANCE = 1e-5
"""The last bits of a row may depend on how many rows are multiplied at once."""

PLAIN = (
    "Bitcoin falls five percent after the Federal Reserve raises interest rates",
    "Federal Reserve raises rates, and bitcoin falls by five percent",
    "Ethereum developers postpone the network upgrade",
    "Developers of Ethereum delay the upgrade of the network",
    "A recipe for lemon cake with almonds",
)
PAIRS = ((0, 1), (2, 3))
ODD = ("", " ", "\n\t", "\0", "🚀" * 50, "ü", "\u202eright to left", "word " * 5_000, "中文新闻", "{{7*7}}", "1 2 3")


def rows(bench: Bench, texts: Sequence[str], **environment: str) -> NDArray[Any]:
    """The vectors of texts: float32[n, dimension]."""
    with arena(bench) as settings, bench.link(**environment) as link:
        answers = scene(link, settings, Step("dimension"), Step("version"), Step("embed", (list(texts),)))
        dimension, version, found = sound(answers, "embedding")
    if not isinstance(dimension, int) or dimension < 1 or not isinstance(version, str) or not version:
        message = f"dimension is {dimension!r} and version {version!r}: a number above 0 and a name"
        raise CheckFailedError(message)
    if not isinstance(found, np.ndarray) or found.dtype != np.float32 or found.shape != (len(texts), dimension):
        shape = f"{found.dtype}{list(found.shape)}" if isinstance(found, np.ndarray) else type(found).__name__
        message = f"embed answers {shape} to {len(texts)} texts, but must answer float32[{len(texts)}, {dimension}]"
        raise CheckFailedError(message)
    return found


def any_text(bench: Bench) -> None:
    """X10: a row of length 1 for each text, whatever it is; none for no text."""
    texts = [*PLAIN, *ODD]
    found = rows(bench, texts)
    lengths = np.linalg.norm(found.astype(np.float64), axis=1)
    for text, length in zip(texts, lengths.tolist(), strict=True):
        if not abs(length - 1) <= LENGTH_TOLERANCE:
            message = f"the vector of {text[:20]!r} has length {length:.6g}, but must have 1"
            raise CheckFailedError(message)
    rows(bench, [])


def everywhere_the_same(bench: Bench) -> None:
    """X15: two processes with different hash seeds give the same vectors under the same version."""
    texts = [*PLAIN, *ODD]
    one = rows(bench, texts, PYTHONHASHSEED="1")
    other = rows(bench, texts, PYTHONHASHSEED="4242")
    _demand_near(one, other, texts, "in another process")


def independent(bench: Bench) -> None:
    """X20: a row depends on its text alone: not on the texts beside it, their order, or what was asked before."""
    texts = [*PLAIN, *ODD]
    together = rows(bench, texts)
    backwards = rows(bench, texts[::-1])[::-1]
    _demand_near(together, backwards, texts, "in another order")
    with arena(bench) as settings, bench.link() as link:
        steps = [Step("embed", ([text],)) for text in texts]
        alone = sound(scene(link, settings, steps, *steps), "embedding at the same time, then one by one")
    for answers, how in ((alone[: len(texts)], "at the same time"), (alone[len(texts) :], "alone, and again")):
        _demand_near(together, np.concatenate(answers), texts, how)


def _demand_near(one: NDArray[Any], other: NDArray[Any], texts: Sequence[str], how: str) -> None:
    """Fail unless two tables of vectors agree."""
    demand(other.shape, one.shape, f"the shape of the vectors {how}")
    apart = np.abs(one.astype(np.float64) - other.astype(np.float64)).max(axis=1)
    wrong = np.flatnonzero(~(apart <= ROW_TOLERANCE))
    if len(wrong):
        message = f"{how} the vector of {texts[int(wrong[0])][:20]!r} is another, by {apart[wrong[0]]:.3g}"
        raise CheckFailedError(message)


def near_is_near(bench: Bench) -> None:
    """X25: of two texts that say the same and one that does not, the two are nearer to each other."""
    found = rows(bench, PLAIN).astype(np.float64)
    likeness = found @ found.T
    for one, other in PAIRS:
        for stranger in sorted(set(range(len(PLAIN))) - {one, other}):
            if likeness[one, other] <= likeness[one, stranger]:
                message = f"{PLAIN[one]!r} is nearer to {PLAIN[stranger]!r} than to {PLAIN[other]!r}"
                raise CheckFailedError(message)


CHECKS = (
    Check("X10", "a vector of length 1 for any text", 2, any_text, EMBEDDER),
    Check("X15", "the same vectors in every process", 1, everywhere_the_same, EMBEDDER),
    Check("X20", "a vector depends on its text alone", 1, independent, EMBEDDER),
    Check("X25", "near texts are near", 2, near_is_near, EMBEDDER),
    Check("X30", "opened, left, and nothing runs on", 7, lifecycle("X30", Step("embed", (["x"],))), EMBEDDER),
)
