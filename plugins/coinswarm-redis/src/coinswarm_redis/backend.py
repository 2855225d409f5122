"""The memory backend ``redis``: a vector set for each space, searched by Redis, or here where few can count."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from redis import exceptions

from coinswarm.contracts import MemoryBackend
from coinswarm.domain.episode import ANY, LogPosition, Match, MemoryInfo, MemoryStats
from coinswarm.domain.health import Condition, Health
from coinswarm.errors import CoinswarmError, NotReadyError
from coinswarm_redis import scripts
from coinswarm_redis.commands import place, script, search
from coinswarm_redis.condition import SECTIONS, condition
from coinswarm_redis.connection import NEEDED, Begin, Client, command, is_older, lacks_vector_sets, told
from coinswarm_redis.fields import (
    SECOND_NS,
    asked_for,
    attributes,
    counts,
    episode_of,
    expression,
    keys,
    listed,
    vector_of,
)
from coinswarm_redis.measuring import measured, nearest, scored
from coinswarm_redis.progress import ANEW, Progress
from coinswarm_redis.settings import RedisSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import numpy as np

    from coinswarm.domain.episode import Episode, Filter, Space
    from coinswarm_redis.measuring import Found, Vector

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

T = TypeVar("T")

FEW, FEW_SHARE = 500, 0.02
"""Where at most so many episodes can count, or that share of all, they are gathered and each is looked at."""

SPREAD, MORE, THOROUGH, MOST = 2.5, 4, 5, 400
"""How many standard deviations more a search is asked for than a filter leaves k of on average, so that fewer are left
once in a hundred questions; how many more in any case; how many times more candidates are looked at where hardly any
are left, because of what is farther away a smaller share is found; and the most that it is asked for, while Redis does
nothing else."""

MEASURED, MEASURED_SHARE = 4, 4
"""How many more than k a graph is asked for, and one for so many of k: of equals those with the least ids are answered,
and what it keeps by eight bits of each number is put in order by the vectors as they were told. Without, one in twenty
of the nearest was missed."""

VISITED, LEAST_VISITED = 5, 2_000
"""How many times more elements Redis' own filter may visit than it should have to, were it independent; at least."""

NAMED = 100
"""With more values than about that in a filter Redis' own is not asked: it compares each with each of its elements."""

HUGE = 1_000_000
"""For more than so many no search is asked: each that can count is looked at."""

GATHERED = 10_000
"""So many vectors are held at once where each is looked at."""


class RedisMemory(MemoryBackend):
    """A write is one script, its position included, and so is a recall, or one transaction where all of them count.

    A recall is refused with ``NotReadyError`` where the index holds less than this object has seen applied, or
    elements are gone behind its back: somebody flushed, evicted or restored. Whoever calls it answers from elsewhere
    until the log is folded again.
    """

    def __init__(self, settings: RedisSettings | None = None) -> None:
        self._settings = settings or RedisSettings()
        self._client: Client | None = None
        self._progress = Progress(self._settings.shown)
        self._latest: dict[Space, int] = {}
        """By when every outcome was known, when a recall last asked."""
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
        now = self._progress.now(space)
        if await self._script(scripts.REMEMBER, space, *place(at), *given):
            self._remembered += len(rows)
        self._progress.applied(space, now, at)

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
        found = await self._ask(command("VGETATTR", key, episode_id))
        return None if found is None else episode_of(found)

    async def update(self, space: Space, episode: Episode, *, at: LogPosition | None = None) -> bool:
        """Replace an episode, not its vector."""
        given = (episode.id, attributes(episode), *listed(episode))
        now = self._progress.now(space)
        applied, there = await self._script(scripts.UPDATE, space, *place(at), *given)
        self._updated += bool(applied and there)
        self._progress.applied(space, now, at)
        return bool(there)

    async def forget(self, space: Space, episode_id: str, *, at: LogPosition | None = None) -> bool:
        """Remove an episode.

        :raises AmbiguousError: without a position, which tells one that is repeated, also where the connection broke.
        """
        now = self._progress.now(space)
        applied, there = await self._script(scripts.FORGET, space, *place(at), episode_id, again=at is not None)
        self._forgotten += bool(applied and there)
        self._progress.applied(space, now, at)
        return bool(there)

    async def clear(self, space: Space) -> None:
        """Remove every key of a space."""
        with self._progress.clearing(space):
            await self._script(scripts.CLEAR, space)
        self._latest.pop(space, None)

    async def info(self, space: Space) -> MemoryInfo:
        """What it holds of a space; one that is not whole is not refused, but says that nothing was applied."""
        total, size, index, digest = await self._script(scripts.INFO, space)
        position = LogPosition(int(index), digest.decode()) if index else None
        return MemoryInfo(total, max(size, total * space.dimension * 4), exact=False, applied=position)

    async def stats(self) -> MemoryStats:
        """What this object did since it was made."""
        return MemoryStats(self._recalls, self._remembered, self._updated, self._forgotten, self._recall_ns)

    async def health(self) -> Health:
        """Whether the server answers, has vector sets that suffice, takes in what it is told, and keeps it."""
        try:
            await self._ask(command("VCARD", f"{self._settings.prefix}:health"))
            said = await self._call(lambda client: client.info(*SECTIONS))
        except CoinswarmError as error:
            return Health(Condition.DOWN, str(error))
        if is_older(said):
            return Health(Condition.DOWN, str(self._lacking(said["redis_version"])))
        return condition(said, self._settings.shown)

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _nearest(self, space: Space, asked: Vector, k: int, as_of_ns: int, where: Filter) -> list[Found]:
        """The nearest of those that count."""
        every = k > HUGE
        if where == ANY and as_of_ns >= self._latest.get(space, 0) and not every:
            found = await self._of_all(space, asked, k, as_of_ns)
            if found is not None:
                return found
        return await self._of_some(space, asked, k, as_of_ns, where, every=every)

    async def _of_all(self, space: Space, asked: Vector, k: int, as_of_ns: int) -> list[Found] | None:
        """The nearest, where all of them count: most recalls. None where not every outcome was known yet.

        Without a script: Redis takes a tenth longer where what it finds goes through one.
        """
        count = k + _more(k)
        effort = max(self._settings.search_effort, count)
        before, begin = search(self._settings.prefix, space)
        now = self._progress.now(space)
        (entries, index, latest, kept), total, found = await self._together(
            *before, begin.then(asked.tobytes(), "WITHSCORES", "WITHATTRIBS", "COUNT", count, "EF", effort)
        )
        self._progress.demand_whole(space, now, int(entries or 0), int(total), index)
        self._latest[space] = int(latest or 0)
        if as_of_ns < self._latest[space]:
            return None
        if len(found) < 3 * min(k, int(total)):
            return await self._of_some(space, asked, k, as_of_ns, ANY, every=True)
        return self._judged(space, asked, found, coarse=kept == b"Q8")

    async def _of_some(  # noqa: PLR0913 - a question
        self,
        space: Space,
        asked: Vector,
        k: int,
        as_of_ns: int,
        where: Filter,
        *,
        every: bool = False,
        again: bool = False,
    ) -> list[Found]:
        """The nearest of those that count: a script tells which may be, and each of these is looked at.

        :param every: they are all that can count, however many: Redis' graph does not lead to enough of them.
        :param again: some of the first answer's were gone before they were looked at: perhaps all that there was.
        """
        decided, named = asked_for(where)
        words = (
            f"{k} {_more(k)} {self._settings.search_effort} {as_of_ns} {int(every)} {decided} {as_of_ns // SECOND_NS} "
            f"{as_of_ns % SECOND_NS} {FEW} {FEW_SHARE} {SPREAD} {MORE} {THOROUGH} {MOST}"
        )
        now = self._progress.now(space)
        answer = await self._script(scripts.RECALL, space, asked.tobytes(), words, *named)
        total, entries, index, how, coarse, *found = answer
        self._progress.demand_whole(space, now, int(entries), int(total), index)
        if how == b"lost":
            message = f"the index of {space.name} in {self._settings.shown} lacks lists: keys were evicted or deleted"
            raise NotReadyError(message, remedy=ANEW)
        if not how:
            return []  # there are none
        if how == b"many":
            said, most = expression(where, None if found[0] else as_of_ns), int(found[1])
            sieves = len(named) <= NAMED
            near = await self._sieved(space, asked, k, said, int(total), most, coarse=bool(coarse)) if sieves else []
            enough = len(near) >= min(k, most)
        elif how == b"found":
            near = scored(found[0][::2], found[0][1::2])
            enough = len(near) >= min(k, int(total))
        else:
            ids, all_count = found
            near, there = await self._gathered(
                space, asked, k, as_of_ns, None if all_count else where, ids, coarse=bool(coarse)
            )
            if there < len(ids) and not again:
                return await self._of_some(space, asked, k, as_of_ns, where, every=every, again=True)
            enough = how == b"few" or len(ids) >= min(k, int(total))
        return near if enough else await self._of_some(space, asked, k, as_of_ns, where, every=True)

    async def _gathered(  # noqa: PLR0913 - a question, and who may answer it
        self,
        space: Space,
        asked: Vector,
        k: int,
        as_of_ns: int,
        where: Filter | None,
        ids: list[bytes],
        *,
        coarse: bool,
    ) -> tuple[list[Found], int]:
        """The nearest of some episodes, by a look at each, and how many of them are still there.

        :param where: None: all of them count.
        """
        found: list[Found] = []
        still = 0
        for first in range(0, len(ids), GATHERED):
            some = ids[first : first + GATHERED]
            there, texts, vectors = await self._looked_at(space, some, coarse=coarse, told=where is not None)
            still += len(there)
            admits = None if where is None else partial(counts, where=where, as_of_ns=as_of_ns)
            found = sorted(found + nearest(asked, k, admits, there, texts, vectors))[:k]
        return found, still

    async def _looked_at(
        self, space: Space, ids: list[bytes], *, coarse: bool, told: bool
    ) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """Of some episodes those that are still there, their attributes, and their vectors.

        :param told: attributes are asked for; else they mean nothing.
        """
        key = keys(self._settings.prefix, space)[0]
        texts: list[bytes | None] = [b"{}"] * len(ids)
        if coarse or told:
            begin = Begin.of("VGETATTR", key)
            texts = await self._each([begin.then(id_) for id_ in ids])
        if coarse:
            there, vectors = self._vectors(space, ids, texts)
            return there, [text for text in texts if text], vectors
        begin = Begin.of("VEMB", key)
        raw = await self._each([begin.then(id_, "RAW") for id_ in ids])
        rows = [(id_, text, one[1]) for id_, text, one in zip(ids, texts, raw, strict=True) if text and one]
        return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]

    async def _sieved(  # noqa: PLR0913 - a search
        self, space: Space, asked: Vector, k: int, said: str, total: int, most: int, *, coarse: bool
    ) -> list[Found]:
        """The nearest by Redis' own filter.

        :param most: can count.
        """
        _, begin = search(self._settings.prefix, space)
        count = k + _more(k)
        effort = max(THOROUGH * self._settings.search_effort, count)  # of what counts: that is far away
        visited = max(LEAST_VISITED, VISITED * effort * total // max(1, most))
        words = ("WITHSCORES", "WITHATTRIBS", "COUNT", count, "EF", effort, "FILTER", said, "FILTER-EF")
        found = await self._ask(begin.then(asked.tobytes(), *words, visited))
        least = 3 * min(count, most)
        if len(found) < least:  # perhaps there are no more, perhaps it gave up: only all of them can tell
            found = await self._ask(begin.then(asked.tobytes(), *words, 2 * total))
        return self._judged(space, asked, found, coarse=coarse)

    def _judged(self, space: Space, asked: Vector, found: list[Any], *, coarse: bool) -> list[Found]:
        """The nearest of what a search found: ids, scores and attributes in turn."""
        if coarse:
            return measured(asked, *self._vectors(space, found[::3], found[2::3]))
        return scored(found[::3], found[1::3])

    def _vectors(self, space: Space, ids: list[bytes], texts: list[bytes | None]) -> tuple[list[bytes], list[bytes]]:
        """Those that are still there, and their vectors as they were told, from their attributes.

        :raises NotReadyError: somebody changed what is told of one.
        """
        there = [(id_, vector_of(text)) for id_, text in zip(ids, texts, strict=True) if text]
        if any(len(vector) != 4 * space.dimension for _, vector in there):
            message = f"the index of {space.name} in {self._settings.shown} lacks vectors: it was altered"
            raise NotReadyError(message, remedy=ANEW)
        return [id_ for id_, _ in there], [vector for _, vector in there]

    async def _script(self, text: str, space: Space, *given: str | float | bytes, again: bool = True) -> Any:  # noqa: ANN401 - its answer
        """Run a script over the keys of a space.

        :param again: it may be run twice.
        """
        begin = script(text, self._settings.prefix, space)
        wrote = text not in {scripts.RECALL, scripts.INFO}

        async def run(client: Client) -> Any:  # noqa: ANN401 - its answer
            try:
                return await client.ask(begin.then(*given), again=again)
            except exceptions.NoScriptError:  # a server that was restarted, or is another one
                names = keys(self._settings.prefix, space)
                return await client.ask(command("EVAL", text, len(names), *names, *given), again=again)

        return await self._call(run, wrote=wrote)

    async def _ask(self, command: bytes) -> Any:  # noqa: ANN401 - its answer
        """What a command that changes nothing answers."""
        return await self._call(lambda client: client.ask(command))

    async def _each(self, commands: list[bytes]) -> list[Any]:
        """What commands that change nothing answer, one after the other."""
        return await self._call(lambda client: client.each(commands))

    async def _together(self, *commands: bytes) -> list[Any]:
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
                raise self._lacking(await client.version()) from error
            raise told(error, self._settings.shown, wrote=wrote) from error

    def _lacking(self, version: str) -> NotReadyError:
        message = f"{self._settings.shown} is version {version} and has no vector sets that answer with attributes"
        return NotReadyError(message, remedy=f"use {NEEDED}")


def _more(k: int) -> int:
    """How many more than k a search is asked for."""
    return MEASURED + k // MEASURED_SHARE
