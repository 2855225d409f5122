"""The memory backend ``redis``: a vector set for each space, searched by Redis, or here where few can count."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from redis import exceptions

from coinswarm.contracts import MemoryBackend
from coinswarm.domain.episode import FARTHEST, LogPosition, Match, MemoryInfo, MemoryStats
from coinswarm.domain.health import Condition, Health
from coinswarm.errors import CoinswarmError, NotReadyError
from coinswarm_redis import scripts
from coinswarm_redis.connection import NEEDED, Begin, Client, lacks_vector_sets, told
from coinswarm_redis.fields import SECOND_NS, asked_for, attributes, counts, episode_of, expression, keys, listed
from coinswarm_redis.settings import RedisSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from coinswarm.domain.episode import Episode, Filter, Space
    from coinswarm_redis.connection import Word

    Vector = np.ndarray[tuple[int], np.dtype[np.float32]]
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

    Found = tuple[float, bytes]
    """A distance and an id: in this order they are nearest first, ties by id."""

T = TypeVar("T")

FEW, FEW_SHARE = 500, 0.02
"""Where at most so many episodes can count, or that share of all, they are gathered and each is looked at."""

SPREAD, MORE, THOROUGH, MOST = 2.5, 4, 5, 400
"""How many standard deviations more a search is asked for than a filter leaves k of on average, so that fewer are left
once in a hundred questions; how many more in any case; how many times more candidates are looked at where hardly any
are left, because of what is farther away a smaller share is found; and the most that it is asked for, while Redis does
nothing else."""

MEASURED, MEASURED_SHARE = 4, 4
"""How many more than k a graph that keeps eight bits of each number is asked for, and one for so many of k: they are
put in order by their vectors as they were told. Without, one in twenty of the nearest was missed."""

VISITED, LEAST_VISITED = 5, 2_000
"""How many times more elements Redis' own filter may visit than it should have to, were it independent; at least."""


class RedisMemory(MemoryBackend):
    """A recall is one script, and so is every write, its position included.

    A recall is refused with ``NotReadyError`` where the index holds less than this object has seen applied, or
    elements are gone behind its back: somebody flushed, evicted or restored. Whoever calls it answers from elsewhere
    until the log is folded again.
    """

    def __init__(self, settings: RedisSettings | None = None) -> None:
        self._settings = settings or RedisSettings()
        self._client: Client | None = None
        self._seen: dict[Space, int] = {}
        """The highest index seen applied."""
        self._recalls = self._remembered = self._updated = self._forgotten = self._recall_ns = 0

    def get_config(self) -> dict[str, Any]:
        """The settings in force, the password hidden."""
        return self._settings.model_dump(mode="json")

    async def remember(
        self, space: Space, episodes: Sequence[Episode], vectors: Vectors, *, at: LogPosition | None = None
    ) -> None:
        """Take in episodes, all or none: one script, during which Redis does nothing else."""
        rows = [(episode, space.unit(vector)) for episode, vector in zip(episodes, vectors, strict=True)]
        own = self._settings
        given: list[str | int | bytes] = [own.links, own.build_effort, own.kept(space.dimension)]
        for episode, unit in rows:
            given += [episode.id, unit.tobytes(), attributes(episode), *listed(episode)]
        if await self._script(scripts.REMEMBER, space, *_place(at), *given):
            self._remembered += len(rows)
            self._applied(space, at)

    async def recall(self, space: Space, vector: Vector, k: int, as_of_ns: int, where: Filter) -> Sequence[Match]:
        """The nearest of those that count.

        :raises NotReadyError: the index is not whole.
        """
        began = time.perf_counter_ns()
        asked = space.asked(vector)
        found = await self._nearest(space, asked, k, as_of_ns, where) if k > 0 and as_of_ns >= 0 else []
        self._recalls += 1
        self._recall_ns += time.perf_counter_ns() - began
        return [Match(id_.decode(), distance) for distance, id_ in sorted(found)[:k]]

    async def get(self, space: Space, episode_id: str) -> Episode | None:
        """What is remembered under that id."""
        key = keys(self._settings.prefix, space)[0]
        found = await self._command("VGETATTR", key, episode_id)
        return None if found is None else episode_of(found)

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        """Replace an episode, not its vector."""
        given = (episode.id, attributes(episode), *listed(episode))
        applied, there = await self._script(scripts.UPDATE, space, *_place(at), *given)
        self._updated += bool(applied and there)
        if applied:
            self._applied(space, at)
        return bool(there)

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:
        """Remove an episode."""
        applied, there = await self._script(scripts.FORGET, space, *_place(at), episode_id)
        self._forgotten += bool(applied and there)
        if applied:
            self._applied(space, at)
        return bool(there)

    async def clear(self, space: Space) -> None:
        """Remove every key of a space."""
        await self._script(scripts.CLEAR, space)
        self._seen.pop(space, None)

    async def info(self, space: Space) -> MemoryInfo:
        """What it holds of a space; does not refuse an index that is not whole, so that one can see how far it got."""
        key, meta, *_, exact = keys(self._settings.prefix, space)
        entries, (index, digest), *sizes = await self._together(
            ("VCARD", key),
            ("HMGET", meta, "index", "digest"),
            ("MEMORY", "USAGE", key, "SAMPLES", 5),
            ("MEMORY", "USAGE", exact, "SAMPLES", 5),
        )
        position = None if index is None else LogPosition(int(index), digest.decode())
        least = int(entries) * space.dimension * 4
        return MemoryInfo(
            int(entries), max(sum(int(size or 0) for size in sizes), least), exact=False, applied=position
        )

    async def stats(self) -> MemoryStats:
        """What this object did since it was made."""
        return MemoryStats(self._recalls, self._remembered, self._updated, self._forgotten, self._recall_ns)

    async def health(self) -> Health:
        """Whether the server answers, has vector sets, and may not throw away what it was told."""
        try:
            await self._command("VCARD", f"{self._settings.prefix}:health")
            memory = await self._call(lambda client: client.info("memory"))
        except CoinswarmError as error:
            return Health(Condition.DOWN, str(error))
        policy = memory.get("maxmemory_policy", "noeviction")
        if memory.get("maxmemory", "0") != "0" and policy.startswith("allkeys"):
            reason = f"{self._settings.shown} throws keys away when it is full: set maxmemory-policy to noeviction"
            return Health(Condition.IMPAIRED, reason)
        return Health(Condition.GOOD)

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _nearest(self, space: Space, asked: Vector, k: int, as_of_ns: int, where: Filter) -> list[Found]:
        """The nearest of those that count: one script, and a search of Redis' own where the filter asks for it."""
        decided, named = asked_for(where)
        words = (
            f"{k} {_more(k)} {self._settings.search_effort} {as_of_ns} {decided} {as_of_ns // SECOND_NS} "
            f"{as_of_ns % SECOND_NS} {FEW} {FEW_SHARE} {SPREAD} {MORE} {THOROUGH} {MOST}"
        )
        answer = await self._script(scripts.RECALL, space, asked.tobytes(), words, *named)
        total, entries, index, how, *found = answer
        await self._whole(space, int(entries), int(total), index or None)
        if how == b"found":
            return _matches(found[0])
        if how == b"near":
            ids, _, vectors = found[0]
            return _measured(asked, ids, vectors)
        if how == b"few":
            return _exact(asked, k, lambda text: counts(text, where, as_of_ns), *found[0])
        if how == b"many":
            said = expression(where, None if found[0] else as_of_ns)
            if not found[2]:
                return await self._searched(space, asked, k, said, int(total), int(found[1]))
            near = await self._searched(space, asked, k + _more(k), said, int(total), int(found[1]))
            return await self._brought(space, asked, [id_ for _, id_ in near])
        return [] if not total else await self._nearest(space, asked, k, as_of_ns, where)  # it is whole again

    async def _searched(self, space: Space, asked: Vector, k: int, said: str, total: int, most: int) -> list[Found]:  # noqa: PLR0913 - a search
        """The nearest by Redis' own filter.

        :param most: can count.
        """
        key = keys(self._settings.prefix, space)[0]
        effort = max(THOROUGH * self._settings.search_effort, k)  # of what counts: that is far away
        words = ("VSIM", key, "FP32", asked.tobytes(), "WITHSCORES", "COUNT", k, "EF", effort, "FILTER", said)
        visited = max(LEAST_VISITED, VISITED * effort * total // max(1, most))
        found = _matches(await self._command(*words, "FILTER-EF", visited))
        if len(found) < min(k, most):  # perhaps there are no more, perhaps it gave up: only all of them can tell
            found = _matches(await self._command(*words, "FILTER-EF", 2 * total))
        return found

    async def _brought(self, space: Space, asked: Vector, ids: list[bytes]) -> list[Found]:
        """Some, measured by their vectors as they were told."""
        vectors = await self._command("HMGET", keys(self._settings.prefix, space)[-1], *ids) if ids else []
        return _measured(asked, ids, vectors)

    async def _whole(self, space: Space, entries: int, total: int, index: bytes | None) -> None:
        """Refuse an index that is not whole.

        :param entries: how many there should be; another one may have written between this and ``total``.
        :raises NotReadyError: naming what is missing.
        """
        applied = int(index) if index else 0
        seen = self._seen.get(space, 0)
        if applied < seen:
            where = f"stands at log entry {applied:,}" if applied else "is gone"
            message = f"the index of {space.name} in {self._settings.shown} {where}; entry {seen:,} was applied before"
            raise NotReadyError(message, remedy="fold the log again, and recall from elsewhere until then")
        self._seen[space] = applied
        if entries != total:
            key, meta, *_, exact = keys(self._settings.prefix, space)
            (held, kept), total, measured = await self._together(
                ("HMGET", meta, "entries", "kept"), ("VCARD", key), ("HLEN", exact)
            )
            entries, total = int(held or 0), min(total, measured) if kept == b"Q8" else total
            if entries != total:
                message = (
                    f"the index of {space.name} in {self._settings.shown} holds {total:,} of {entries:,} entries: "
                    "keys were evicted or deleted"
                )
                raise NotReadyError(message, remedy="clear the space and fold the log anew")

    def _applied(self, space: Space, at: LogPosition | None) -> None:
        """Note how far this object has seen the index come."""
        if at is not None:
            self._seen[space] = max(at.index, self._seen.get(space, 0))

    async def _script(self, text: str, space: Space, *given: str | float | bytes) -> Any:  # noqa: ANN401 - its answer
        """Run a script over the keys of a space."""
        begin = _begin(text, self._settings.prefix, space)
        wrote = text is not scripts.RECALL

        async def run(client: Client) -> Any:  # noqa: ANN401 - its answer
            try:
                return await client.ask(*given, begin=begin)
            except exceptions.NoScriptError:  # a server that was restarted, or is another one
                names = keys(self._settings.prefix, space)
                return await client.ask("EVAL", text, len(names), *names, *given)

        return await self._call(run, wrote=wrote)

    async def _command(self, *words: Word) -> Any:  # noqa: ANN401 - its answer
        """What a command that changes nothing answers."""
        return await self._call(lambda client: client.ask(*words))

    async def _together(self, *commands: tuple[Word, ...]) -> list[Any]:
        """What commands that change nothing answer, of one moment."""
        return await self._call(lambda client: client.together(*commands))

    async def _call(self, work: Callable[[Client], Awaitable[T]], *, wrote: bool = False) -> T:
        """What a call answers; the client's errors become ours.

        :raises NotReadyError: the server has no vector sets.
        :raises CoinswarmError: whatever else went wrong.
        """
        if self._client is None:
            self._client = Client(self._settings)
        client = self._client
        try:
            return await work(client)
        except exceptions.RedisError as error:
            if lacks_vector_sets(error):
                message = f"{self._settings.shown} is version {await _version(client)} and has no vector sets"
                raise NotReadyError(message, remedy=f"use {NEEDED}") from error
            raise told(error, self._settings.shown, wrote=wrote) from error


async def _version(client: Client) -> str:
    """The server's version, or a word where it does not say."""
    try:
        return (await client.info("server")).get("redis_version", "unknown")
    except exceptions.RedisError:
        return "unknown"


@lru_cache(maxsize=1_024)
def _begin(text: str, prefix: str, space: Space) -> Begin:
    """How the command begins that runs a script over the keys of a space."""
    names = keys(prefix, space)
    return Begin.of("EVALSHA", scripts.DIGESTS[text], len(names), *names)


def _more(k: int) -> int:
    """How many more than k are measured where Redis' own scores are not good enough."""
    return MEASURED + k // MEASURED_SHARE


def _place(at: LogPosition | None) -> tuple[str, str]:
    """A log position as scripts take it."""
    return ("", "") if at is None else (str(at.index), at.digest)


def _matches(found: list[bytes]) -> list[Found]:
    """What a search found, ids and scores in turn; Redis scores by (1 + cos) / 2."""
    pairs = zip(found[::2], found[1::2], strict=True)
    return [(_bounded(2.0 * (1.0 - float(score))), id_) for id_, score in pairs]


def _measured(asked: Vector, ids: list[bytes], vectors: list[bytes | None]) -> list[Found]:
    """What a search found, measured by the vectors as they were told; what is gone meanwhile is left out."""
    there = [(id_, vector) for id_, vector in zip(ids, vectors, strict=True) if vector]
    if not there:
        return []
    distances = _distances(asked, [vector for _, vector in there])
    return [(_bounded(distance), id_) for distance, (id_, _) in zip(distances, there, strict=True)]


def _distances(asked: Vector, vectors: list[bytes]) -> list[float]:
    """Cosine distances in double precision; each is summed in one order, the same on every machine."""
    rows = np.frombuffer(b"".join(vectors), np.float32).reshape(len(vectors), len(asked))
    products = np.multiply(rows, asked, dtype=np.float64)
    found: list[float] = (1.0 - np.add.reduce(products, axis=1)).tolist()
    return found


def _exact(  # noqa: PLR0913 - what a script answered
    asked: Vector, k: int, admits: Callable[[bytes], bool], ids: list[bytes], texts: list[bytes], vectors: list[bytes]
) -> list[Found]:
    """The nearest of what was gathered; from the nearest on each is asked whether it counts, until there are enough.

    :param texts: attributes; empty where all of them count.
    """
    distances = _distances(asked, vectors)
    found: list[Found] = []
    for row in np.argsort(distances, kind="stable").tolist():
        distance = _bounded(distances[row])
        if len(found) >= k and distance > found[-1][0]:
            break
        if not texts or admits(texts[row]):
            found.append((distance, ids[row]))
    return found


def _bounded(distance: float) -> float:
    """A distance without what rounding adds."""
    return distance if 0.0 <= distance <= FARTHEST else min(max(distance, 0.0), FARTHEST)
