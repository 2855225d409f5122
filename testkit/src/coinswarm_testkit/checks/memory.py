"""M: what a memory backend keeps, finds and forgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.episode import ANY, Filter, Match, MemoryInfo, MemoryStats
from coinswarm.domain.health import Condition, Health
from coinswarm_testkit.bench import Raised, Step
from coinswarm_testkit.cases import episodes as cases
from coinswarm_testkit.cases.episodes import LATEST_NS, position
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.drivers import arena
from coinswarm_testkit.checks.memory_held import MANY, K, Memory, filled, memory, queries
from coinswarm_testkit.checks.pure import demand
from coinswarm_testkit.verdicts import CheckSkipped, Measured, PluginRaisedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.cases.episodes import Vectors
    from coinswarm_testkit.subject import Kind

RECALL = 0.95
"""Of the ten nearest by exact search, so many must be found, on average."""

QUERIES = 40


def round_trip(bench: Bench) -> None:
    """M10: what was told is there, field by field; what was not is not; an unknown space is empty."""
    with memory(bench, "round-trip") as found:
        demand(found.info() == replace(found.info(), entries=0, applied=None), "a space that nobody used is not empty")
        demand(found.recall(queries(bench, 1)[0]) == [], "something is found in a space that nobody used")
        told = filled(found, bench)
        for one in told[::7]:
            back = found.call("get", one.id)
            demand(back == one, f"told {one}, it answers {back!r}"[:400])
        demand(found.call("get", "0" * 64) is None, "an episode that nobody told is there")
        found.demand_count()


def replaced(bench: Bench) -> None:
    """M15: who is told again replaces what was there, vector and all."""
    with memory(bench, "replaced") as found:
        told = filled(found, bench)
        again = [replace(one, result_ppm=one.result_ppm + 1) for one in told[:20]]
        found.remember(again, cases.vectors(bench.seed + 2, 20))
        found.demand_count()
        demand(found.call("get", again[3].id) == again[3], "what was told again is as it was before")
        for vector in cases.vectors(bench.seed + 2, 20)[::5]:
            share = found.demand_found(vector, k=1)
            demand(share == 1.0, "what was told again is not found by its new vector")


def updated(bench: Bench) -> None:
    """M20: an update replaces what is remembered, keeps the vector, and says whether there was anything."""
    with memory(bench, "updated") as found:
        told = filled(found, bench)
        vector = found.kept[told[5].id][1]
        new = replace(told[5], result_ppm=777, regime="storm", known_ns=told[5].known_ns + 1)
        demand(found.call("update", new) is True, "an update of what is there does not answer True")
        found.change(new)
        demand(found.call("get", new.id) == new, "what was updated is as it was before")
        demand(found.demand_found(vector, k=1) == 1.0, "what was updated is not found by its vector")
        found.demand_found(vector, Filter(regimes=frozenset({"storm"})))
        missing = replace(new, id="0" * 64)
        demand(found.call("update", missing) is False, "an update of what is not there does not answer False")
        found.demand_count()


def forgotten(bench: Bench) -> None:
    """M25: what is forgotten is gone, everywhere."""
    with memory(bench, "forgotten") as found:
        told = filled(found, bench, 60)
        for one in told[::2]:
            demand(found.call("forget", one.id) is True, "forgetting what is there does not answer True")
            found.lose(one.id)
        demand(found.call("forget", told[0].id) is False, "forgetting twice does not answer False")
        demand(found.call("get", told[0].id) is None, "what was forgotten can be had")
        for vector in cases.vectors(bench.seed, 60)[:20]:
            found.demand_found(vector)
        found.demand_count()


def recall_at_ten(bench: Bench) -> Measured:
    """M30: of the ten nearest by exact search at least 95 % are found, at their true distance."""
    with memory(bench, "recall") as found:
        filled(found, bench, MANY)
        shares = [found.demand_found(vector) for vector in queries(bench, QUERIES)]
        found.demand_found(queries(bench, 1)[0], k=1)
    share = float(np.mean(shares))
    measured = Measured({"recall_at_10": round(share, 4)}, {"recall_at_10": RECALL})
    demand(share >= RECALL, f"recall@10 is {share:.3f}, below {RECALL}")
    return measured


def point_in_time(bench: Bench) -> None:
    """M35: no episode is found before its outcome was known."""
    with memory(bench, "point-in-time") as found:
        told = filled(found, bench, 400)
        rng = np.random.default_rng([bench.seed, 12])
        for vector, row in zip(queries(bench, 40), rng.integers(0, 400, 40).tolist(), strict=True):
            known = told[row].known_ns
            for as_of_ns in (known - 1, known, known + 1):
                found.demand_found(vector, as_of_ns=as_of_ns)
        for row in rng.integers(0, 400, 10).tolist():
            own = found.kept[told[row].id][1]
            before = found.recall(own, 1, told[row].known_ns - 1)
            at = found.recall(own, 1, told[row].known_ns)
            demand(all(match.episode_id != told[row].id for match in before), "an outcome is found before it was known")
            demand([match.episode_id for match in at] == [told[row].id], "an outcome is not found once it is known")
        demand(
            found.recall(queries(bench, 1)[0], K, cases.BEGIN_NS - 1) == [], "something is known before anything was"
        )


FILTERS: tuple[tuple[str, Filter], ...] = (
    ("50 %", Filter(instruments=frozenset({"I/USD", "X/USD", "C/USD", "M/USD"}))),
    ("10 %", Filter(instruments=frozenset({"X/USD", "C/USD", "M/USD"}))),
    ("1 %", Filter(instruments=frozenset({"C/USD", "M/USD"}))),
    ("0.1 %", Filter(instruments=frozenset({"M/USD"}))),
    ("side", Filter(sides=frozenset({-1}))),
    ("agent and regime", Filter(agents=frozenset({"trend", "pairs"}), regimes=frozenset({"storm"}))),
    (
        "a week",
        Filter(
            decided_from_ns=cases.BEGIN_NS + 900 * cases.HOUR_NS,
            decided_before_ns=cases.BEGIN_NS + 1_068 * cases.HOUR_NS,
        ),
    ),
    ("nobody", Filter(agents=frozenset({"nobody"}))),
)


def filters(bench: Bench) -> Measured:
    """M40: however few count, all that are asked for come, none of them excluded, and near ones."""
    measured: dict[str, float] = {}
    with memory(bench, "filters") as found:
        filled(found, bench, MANY)
        for name, where in FILTERS:
            shares = [
                found.demand_found(vector, where, as_of_ns)
                for vector in queries(bench, 8)
                for as_of_ns in (LATEST_NS, cases.BEGIN_NS + 2_000 * cases.HOUR_NS)
            ]
            measured[name] = round(float(np.mean(shares)), 4)
    for name, share in measured.items():
        demand(share >= RECALL, f"recall@10 is {share:.3f} where {name} of the episodes count, below {RECALL}")
    return Measured(measured, dict.fromkeys(measured, RECALL))


def isolation(bench: Bench) -> None:
    """M45: what one space holds is never seen in another, of the same swarm or of another."""
    with memory(bench, "isolation") as found:
        told = filled(found, bench, 50)
        others = (
            replace(found.space, name="isolation.2"),
            replace(found.space, swarm=f"{found.space.swarm}.2"),
            replace(found.space, swarm=found.space.name, name=found.space.swarm),
        )
        for other in others:
            beside = Memory(found.link, other)
            demand(beside.recall(found.kept[told[0].id][1]) == [], f"{other} sees what is in {found.space}")
            demand(beside.call("get", told[0].id) is None, f"{other} has what is in {found.space}")
            demand(beside.call("forget", told[0].id) is False, f"{other} forgets what is in {found.space}")
            beside.remember(cases.episodes(bench.seed + 1, 5), cases.vectors(bench.seed + 1, 5))
            beside.demand_count()
            beside.call("clear")
        found.demand_count()
        found.demand_found(queries(bench, 1)[0])


def wrong_vectors(bench: Bench) -> None:
    """M50: a vector that is none is refused by ValueError, and nothing of its batch is taken."""
    with memory(bench, "wrong-vectors") as found:
        filled(found, bench, 20)
        fresh = cases.episodes(bench.seed + 1, 3)
        good = cases.vectors(bench.seed + 1, 3)
        for wrong in _wrong(good):
            for method, args in (
                ("remember", (fresh, wrong)),
                ("recall", (wrong[-1], K, LATEST_NS, ANY)),
            ):
                [answer] = found.link.script([Step(method, (found.space, *args))])
                refused = isinstance(answer, Raised) and "ValueError" in answer.bases
                shown = f"{wrong.dtype}{list(wrong.shape)} that ends in {wrong[-1][:3].tolist()}"
                demand(refused, f"{method} of {shown} answers {answer!r}"[:300] + ", not ValueError")
        found.demand_count()
        demand(found.call("get", fresh[0].id) is None, "half of a refused batch is there")


def _wrong(good: Vectors) -> list[Vectors]:
    """Batches whose last vector is no vector."""
    zero, nan, infinite = good.copy(), good.copy(), good.copy()
    zero[-1], nan[-1, 3], infinite[-1, 0] = 0.0, np.nan, np.inf
    return [zero, nan, infinite, good[:, :-1].copy(), np.concatenate([good, good], axis=1)]


def positions(bench: Bench) -> None:
    """M55: a write is recorded with its place in the log, and one that was applied changes nothing."""
    told, vectors = cases.episodes(bench.seed, 4), cases.vectors(bench.seed, 4)
    with memory(bench, "positions") as found:
        for number in (1, 2):
            found.remember([told[number]], vectors[number : number + 1], position(number))
        new = replace(told[1], result_ppm=1)
        found.call("update", new, at=position(3))
        found.call("forget", told[2].id, at=position(5))
        applied = found.info().applied
        demand(applied == position(5), f"the last entry was 5, it says {applied}")
        found.call("remember", [told[3]], vectors[3:4], at=position(4))
        found.call("remember", [told[2]], vectors[2:3], at=position(2))
        found.call("update", told[1], at=position(5))
        found.call("forget", told[1].id, at=position(1))
        demand(found.info().applied == position(5), "an entry that was applied moves the position back")
        there = [found.call("get", one.id) for one in told[1:]]
        demand(there == [new, None, None], f"entries that were applied change what is there: {there}"[:300])


def concurrent(bench: Bench) -> None:
    """M60: writers and readers at once: nothing is lost, nothing is half."""
    count, batch = 160, 8
    told, vectors = cases.episodes(bench.seed, count), cases.vectors(bench.seed, count)
    with memory(bench, "concurrent") as found:
        steps = [
            Step("remember", (found.space, told[first : first + batch], vectors[first : first + batch]))
            for first in range(0, count, batch)
        ]
        reads = [Step("recall", (found.space, vector, K, LATEST_NS, ANY)) for vector in vectors[:30]]
        order = np.random.default_rng([bench.seed, 13]).permutation(len(steps) + len(reads)).tolist()
        mixed = [*steps, *reads]
        answers = found.link.script([mixed[place] for place in order], concurrent=True)
        for place, answer in zip(order, answers, strict=True):
            if isinstance(answer, Raised):
                raise PluginRaisedError(answer.kind, f"{answer.text} (called at once with others)", answer.bases)
            if place >= len(steps):
                found.demand_form(answer, K)
        found.keep(told, vectors)
        found.demand_count()
        changes = [Step("forget", (found.space, one.id)) for one in told[::10]]
        changes += [Step("update", (found.space, replace(one, result_ppm=5))) for one in told[1::10]]
        answers = found.link.script(changes, concurrent=True)
        demand(answers == [True] * len(changes), "at once with others, forget or update finds nothing")
        for one in told[::10]:
            found.lose(one.id)
        for one in told[1::10]:
            found.change(replace(one, result_ppm=5))
        found.demand_count()
        demand(found.call("get", told[1].id) == found.kept[told[1].id][0], "an update at once with others is lost")
        for vector in vectors[:10]:
            found.demand_found(vector)


def rebuilt(bench: Bench) -> None:
    """M70: the log folded anew, after a clear or elsewhere, finds what the live index finds."""
    count = 60
    told, vectors = cases.episodes(bench.seed, count), cases.vectors(bench.seed, count)
    rng = np.random.default_rng([bench.seed, 14])
    log: list[tuple[str, tuple[Any, ...]]] = [
        ("remember", ([one], vectors[row : row + 1])) for row, one in enumerate(told)
    ]
    for row in rng.choice(count, 20, replace=False).tolist():
        forget = ("forget", (told[row].id,))
        log.append(forget if row % 2 else ("update", (replace(told[row], result_ppm=row),)))

    def fold(found: Memory, first: int = 0) -> tuple[MemoryInfo, list[list[Match]], list[Any]]:
        steps = [
            Step(method, (found.space, *args), {"at": position(first + number + 1)})
            for number, (method, args) in enumerate(log[first:])
        ]
        for answer in found.link.script(steps):
            if isinstance(answer, Raised):
                raise PluginRaisedError(answer.kind, f"{answer.text} (while the log is folded)", answer.bases)
        recalled = [found.recall(vector) for vector in queries(bench, 20)]
        return found.info(), recalled, [found.call("get", one.id) for one in told[:30]]

    with memory(bench, "rebuilt") as found:
        live = fold(found)
        again = fold(found, len(log) // 2)
        demand(again == live, "a fold that begins before where it stopped changes what is found")
        found.call("clear")
        demand(found.info().entries == 0 and found.info().applied is None, "a cleared space is not empty")
        demand(found.recall(queries(bench, 1)[0]) == [], "something is found in a cleared space")
        demand(fold(found) == live, "the log folded anew after a clear differs from the live index")
        beside = Memory(found.link, replace(found.space, name="rebuilt.2"))
        demand(fold(beside) == live, "the log folded elsewhere differs from the live index")
        beside.call("clear")


def survives(bench: Bench) -> None:
    """M75: another object, in another process, finds what was written: the position too."""
    if not bench.subject.declaration.get("persistent", True):
        message = "it does not claim to survive a restart"
        raise CheckSkipped(message)
    space = cases.space("survives")
    with arena(bench) as settings:
        with bench.alone() as link:
            link.make(settings=settings)
            before = Memory(link, space)
            told = filled(before, bench, 100)
            before.call("forget", told[0].id, at=position(7))
            before.lose(told[0].id)
            before.call("update", replace(told[1], result_ppm=9))
            before.change(replace(told[1], result_ppm=9))
            link.call("close")
        with bench.alone() as link:
            link.make(settings=settings)
            after = Memory(link, space)
            after.keep(*before.rows())
            after.demand_count()
            demand(after.info().applied == position(7), "the position in the log did not survive a restart")
            demand(after.call("get", told[1].id) == before.kept[told[1].id][0], "an update did not survive a restart")
            for vector in queries(bench, 10):
                after.demand_found(vector)
            after.call("clear")
            link.call("close")


def counters(bench: Bench) -> None:
    """M80: counters count what was done, and it says that it is well."""
    with memory(bench, "counters") as found:
        start = found.link.call("stats")
        demand(isinstance(start, MemoryStats), f"stats answered {start!r}"[:200])
        told = filled(found, bench, 12)
        for vector in queries(bench, 5):
            found.recall(vector)
        found.call("update", replace(told[0], result_ppm=1))
        found.call("forget", told[1].id)
        found.lose(told[1].id)
        end = found.link.call("stats")
        demand(isinstance(end, MemoryStats), f"stats answered {end!r}"[:200])
        done = {
            name: getattr(end, name) - getattr(start, name)
            for name in ("recalls", "remembered", "updated", "forgotten")
        }
        demand(
            done == {"recalls": 5, "remembered": 12, "updated": 1, "forgotten": 1},
            f"5 recalls, 12 episodes, 1 update and 1 forgotten are counted as {done}",
        )
        demand(end.recall_ns > start.recall_ns, "recalls take no time")
        size = found.info().size_bytes
        demand(
            size >= 11 * 4 * found.space.dimension,
            f"11 vectors of {found.space.dimension} are said to take {size} bytes",
        )
        health = found.link.call("health")
        demand(isinstance(health, Health) and health.condition is Condition.GOOD, f"health answered {health!r}"[:200])


def optimized(bench: Bench) -> None:
    """M85: tidying up changes nothing that is found."""
    with memory(bench, "optimized") as found:
        told = filled(found, bench, 500)
        for one in told[::20]:
            found.call("forget", one.id)
            found.lose(one.id)
        found.call("optimize")
        found.demand_count()
        shares = [found.demand_found(vector) for vector in queries(bench, 20)]
        demand(np.mean(shares) >= RECALL, f"recall@10 is {np.mean(shares):.3f} after tidying up, below {RECALL}")


def widths(bench: Bench) -> None:
    """M90: vectors of any width up to the declared one."""
    widest = int(bench.subject.declaration.get("max_dimension", cases.DIMENSION))
    for dimension in sorted({1, min(384, widest), widest}):
        with memory(bench, "widths", dimension=dimension) as found:
            count = 30
            found.remember(cases.episodes(bench.seed, count), cases.vectors(bench.seed, count, dimension=dimension))
            for vector in cases.vectors(bench.seed + 1, 3, dimension=dimension):
                found.demand_found(vector)


MEMORY: frozenset[Kind] = frozenset({"memory"})


def _check(id_: str, title: str, run: Callable[[Bench], Measured | None], *, safety: bool = False) -> Check:
    """A check of the memory's soundness."""
    return Check(id_, title, 6, run, MEMORY, safety=safety)


CHECKS: tuple[Check, ...] = (
    _check("M10", "what was told is there", round_trip),
    _check("M15", "what is told again replaces", replaced),
    _check("M20", "an update keeps the vector", updated),
    _check("M25", "what is forgotten is gone", forgotten),
    _check("M30", "recall@10 of at least 0.95", recall_at_ten),
    _check("M35", "nothing is found before its outcome was known", point_in_time, safety=True),
    _check("M40", "filters cost no matches", filters),
    _check("M45", "spaces and swarms are apart", isolation, safety=True),
    _check("M50", "a vector that is none is refused", wrong_vectors),
    _check("M55", "what was applied is not applied again", positions),
    _check("M60", "writers at once", concurrent),
    _check("M70", "rebuilt from the log it finds the same", rebuilt),
    _check("M75", "survives a restart", survives),
    _check("M80", "counters count, health is told", counters),
    _check("M85", "tidying up changes nothing", optimized),
    _check("M90", "any width up to the declared one", widths),
)
