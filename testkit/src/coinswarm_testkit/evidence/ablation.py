"""What memory adds: the same agent on the same paths, with six kinds of memory.

============ ===========================================================================================
arm          what is recalled
============ ===========================================================================================
``none``     nothing: ``reconsider`` is not asked
``permuted`` the nearest episodes, each with the outcome of another one
``random``   any episodes
``recency``  the latest episodes
``real``     the nearest episodes
``leaky``    the nearest of *all* episodes, those to come and the decision's own included: must look too good
============ ===========================================================================================

All but the leaky arm recall episodes only whose outcome was known, embargo added, when the decision was made (S21);
all recall only where the agent's direction changes; what comes of it holds until the next change (S20). The episodes
are those of the arm without memory: ``reconsider`` moves the size of a trade, not its direction or its bracket, so that
the outcome in shares of its value is the same in all arms, up to fills that a larger order does not get. Every path has
a memory of its own, empty at first.

Arms are compared path by path: the differences are independent of one another, and a Student test over the paths is
exact up to their distribution.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.action import MAX_BP, Action, Side
from coinswarm.domain.episode import Episode, Recollection
from coinswarm_testkit.bench import warm_up_of
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.gather import said
from coinswarm_testkit.verdicts import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coinswarm.domain.action import ActionColumns
    from coinswarm.domain.market import Bars
    from coinswarm.engine.result import RunResult
    from coinswarm.simulator.costs import Costs
    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.markets.ensembles import Ensemble

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
    Table = np.ndarray[tuple[int, int], np.dtype[np.float64]]

ARMS = ("none", "permuted", "random", "recency", "real", "leaky")
NEAREST = 8
"""Episodes recalled at once."""
EMBARGO_BARS = 1
HOLE_BARS = 3
LEAST, MOST = 0.5, 1.5
"""What ``reconsider`` may make of a confidence (S20)."""
STEP = 2e-4
"""Slack of that: confidences are rounded to basis points."""

_SIDE, _OPENED, _CLOSED, _LOTS, _PNL, _RISK = 1, 2, 3, 4, 5, 7


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """One path of the arm without memory.

    :param columns: what the agent says, warm-up masked.
    :param rows: where its direction changes to long or short.
    :param episodes: per such row, what became of it; None where no trade came of it.
    :param vectors: per such row, the unit vector that it recalls by; None for nothing.
    """

    bars: Bars
    columns: ActionColumns
    rows: list[int]
    episodes: list[Episode | None]
    vectors: list[Floats | None]


@dataclass(frozen=True, slots=True, eq=False)
class Ablation:
    """What came of it.

    :param profit: per arm, final equity ÷ cash - 1 of each path.
    :param added: profit of the real arm less that of the arm without memory, in each half of each path:
        float64[paths, 2].
    :param asked: how often something was recalled in the real arm, all paths together.
    """

    profit: dict[str, Floats] = field(repr=False)
    added: Table = field(repr=False)
    asked: int

    def t(self, arm: str, other: str = "none") -> float:
        """Mean of the paired differences ÷ its standard error; 0 where there is none."""
        return paired(self.profit[arm] - self.profit[other])

    def worn(self) -> float:
        """What memory adds in the second half less 0.8 times what it adds in the first, in standard errors.

        Where it took in the first half, it may take 1 ÷ 0.8 of that in the second. Profits themselves are not
        compared: they tell the markets of the two halves apart, and not what memory does in them.
        """
        first, second = self.added.T
        share = 0.8 if first.mean() > 0 else 1 / 0.8
        return paired(second - share * first)


def paired(difference: Floats) -> float:
    """Student's t of a mean difference; 0 where nothing differs."""
    deviation = float(difference.std(ddof=1))
    return float(difference.mean()) / deviation * math.sqrt(len(difference)) if deviation > 0 else 0.0


def ablate(bench: Bench, market: Ensemble, *, costs: Costs) -> Ablation:
    """Run the arms over every path of a market.

    :raises CheckFailedError: for a vector that is none, or an answer that changes more than the confidence.
    """
    stories = _stories(bench, market, costs)
    profit = {}
    halves: dict[str, Table] = {}
    asked = 0
    for arm in ARMS:
        columns = [story.columns for story in stories]
        if arm != "none":
            questions = [_questions(story, arm, bench.seed, path) for path, story in enumerate(stories)]
            columns = _answered(bench, stories, questions)
            if arm == "real":
                asked = sum(bool(recalled) for path in questions for _, recalled in path)
        results = [desk.traded(s.bars, said_, costs=costs) for s, said_ in zip(stories, columns, strict=True)]
        profit[arm] = np.array([float(one.equity[-1]) / one.cash - 1.0 for one in results])
        halves[arm] = np.array([_halves(one) for one in results])
    return Ablation(profit, halves["real"] - halves["none"], asked)


def _halves(result: RunResult) -> tuple[float, float]:
    """Profit in each half of the marks."""
    middle = float(result.equity[len(result.equity) // 2])
    return middle / result.cash - 1.0, (float(result.equity[-1]) - middle) / result.cash


def _stories(bench: Bench, market: Ensemble, costs: Costs) -> list[Story]:
    """The arm without memory: decisions, what became of them, and what they recall by."""
    paths = list(market)
    warm_up = warm_up_of(bench)
    masks = [bars.warming(HOLE_BARS, warm_up) for bars in paths]
    with bench.link() as link:
        columns = [one.masked(mask) for one, mask in zip(said(link, paths), masks, strict=True)]
        rows = [_changes(one) for one in columns]
        answers = link.ask("recalls.embedded", histories=paths, rows=rows)
    width: set[int] = set()
    stories = []
    for path, (bars, said_, changed, found) in enumerate(zip(paths, columns, rows, answers, strict=True)):
        one_by_one, at_once = found
        _held_equal(one_by_one, at_once)
        vectors = [_unit(vector, width) for vector in one_by_one]
        result = desk.traded(bars, said_, costs=costs)
        stories.append(Story(bars, said_, changed, _episodes(result, bars, changed, said_, path), vectors))
    return stories


def _held_equal(one_by_one: Sequence[Any], at_once: Sequence[Any] | None) -> None:
    """Hold ``embed_all`` to ``embed``; a row of zeros stands for nothing.

    :raises CheckFailedError: where they differ.
    """
    for vector, row in zip(one_by_one, at_once or (), strict=at_once is not None):
        nothing = vector is None and not np.asarray(row).any()
        if not (nothing or (vector is not None and np.array_equal(np.asarray(vector), np.asarray(row)))):
            message = f"embed_all answers {np.asarray(row).tolist()} where embed answers {vector}"
            raise CheckFailedError(message)


def _changes(columns: ActionColumns) -> list[int]:
    """Rows at which the agent's target turns long or short: HOLD keeps it, an abstention drops it."""
    target, rows = 0, []
    for row, (side, sure) in enumerate(zip(columns.direction.tolist(), columns.confidence_bp.tolist(), strict=True)):
        before = target
        if sure < 0:
            target = 0
        elif side != Side.HOLD:
            target = int(side)
        if target not in (0, before):
            rows.append(row)
    return rows


def _unit(vector: Any, width: set[int]) -> Floats | None:  # noqa: ANN401 - a plugin may have answered anything
    """A vector of length 1, or None where the agent recalls by nothing."""
    if vector is None:
        return None
    found = np.asarray(vector, np.float64)
    width.add(found.size)
    length = float(np.sqrt((found * found).sum())) if found.ndim == 1 else 0.0
    if not (np.isfinite(length) and length > 0.0) or len(width) > 1:
        shape = f"widths {sorted(width)}" if len(width) > 1 else f"{found.ndim} dimensions and length {length:g}"
        message = f"embed answers a vector of {shape}: one row of numbers of one width, not all zero, is wanted"
        raise CheckFailedError(message)
    return found / length


def _episodes(
    result: RunResult, bars: Bars, rows: Sequence[int], columns: ActionColumns, path: int
) -> list[Episode | None]:
    """What became of each change of direction: the trade that opened after it and before the next."""
    times = bars.open_ns
    opened_after: Ints = np.searchsorted(times[rows] if rows else np.zeros(0, np.int64), result.trade_rows[:, _OPENED])
    num, den = result.instruments[0].value_ratio
    found: list[Episode | None] = [None] * len(rows)
    for place, trade in zip((opened_after - 1).tolist(), result.trade_rows.tolist(), strict=True):
        if place < 0 or found[place] is not None or columns.direction[rows[place]] != trade[_SIDE]:
            continue
        row = rows[place]
        price = float(bars.open[int(np.searchsorted(times, trade[_OPENED]))]) / float(bars.instrument.tick)
        value = max(trade[_LOTS] * price * num / den, 1.0)
        found[place] = Episode(
            id=hashlib.sha256(f"{path}:{row}".encode()).hexdigest(),
            agent="judged",
            instrument=bars.instrument.symbol,
            side=trade[_SIDE],
            decided_ns=int(times[row]) + bars.length_ns,
            known_ns=trade[_CLOSED] + bars.length_ns,
            result_ppm=round(trade[_PNL] / value * 1e6),
            risk_ppm=round(trade[_RISK] / value * 1e6),
        )
    return found


def _questions(story: Story, arm: str, seed: int, path: int) -> list[tuple[Action, list[Recollection]]]:
    """At each change of direction: the action, and what the arm recalls."""
    rng = np.random.default_rng([seed, path, *arm.encode()])
    kept = [
        (episode, vector)
        for episode, vector in zip(story.episodes, story.vectors, strict=True)
        if episode is not None and vector is not None
    ]
    vectors: Table = np.array([vector for _, vector in kept]) if kept else np.zeros((0, 0))
    known: Ints = np.array([episode.known_ns for episode, _ in kept], np.int64)
    asked = []
    for row, vector in zip(story.rows, story.vectors, strict=True):
        recalled: list[Recollection] = []
        if vector is not None and kept:
            now = int(story.bars.open_ns[row]) + story.bars.length_ns
            visible = known + EMBARGO_BARS * story.bars.length_ns <= now
            allowed: Ints = np.flatnonzero(visible | (arm == "leaky"))
            distance = np.clip(1.0 - vectors[allowed] @ vector, 0.0, 2.0)
            if arm == "recency":
                order = np.argsort(-known[allowed], kind="stable")
            elif arm == "random":
                order = rng.permutation(len(allowed))
            else:
                order = np.argsort(distance, kind="stable")
            chosen = order[:NEAREST].tolist()
            others = rng.permutation(len(allowed))[: len(chosen)].tolist()
            for place, other in zip(chosen, others, strict=True):
                episode = kept[allowed[place]][0]
                if arm == "permuted":
                    told = kept[allowed[other]][0]
                    episode = replace(episode, result_ppm=told.result_ppm, risk_ppm=told.risk_ppm, stopped=told.stopped)
                recalled.append(Recollection(episode, float(distance[place])))
        asked.append((story.columns.action(story.bars.instrument, row), recalled))
    return asked


def _answered(
    bench: Bench, stories: Sequence[Story], questions: Sequence[Sequence[tuple[Action, list[Recollection]]]]
) -> list[ActionColumns]:
    """The columns of each path with the confidences that ``reconsider`` gives them."""
    with bench.link() as link:
        answers = link.ask("recalls.reconsidered", questions=[list(path) for path in questions])
    changed = []
    for story, asked, replies in zip(stories, questions, answers, strict=True):
        confidence = story.columns.confidence_bp.astype(np.float64)
        ends = [*story.rows[1:], len(confidence)]
        for row, end, (action, recalled), reply in zip(story.rows, ends, asked, replies, strict=True):
            factor = _factor(action, reply, recalled=bool(recalled))
            part = confidence[row:end]
            part[part > 0] *= factor
        bounded = np.rint(np.minimum(confidence, MAX_BP)).astype(np.int16)
        changed.append(replace(story.columns, confidence_bp=bounded))
    return changed


def _factor(action: Action, reply: Sequence[float], *, recalled: bool) -> float:
    """What became of the confidence.

    :raises CheckFailedError: where anything else changed, or the confidence by more than it may.
    """
    given = dict(zip(Action._fields, (float(value) for value in action), strict=True))
    told = dict(zip(Action._fields, reply, strict=True))
    other = [name for name in Action._fields if name != "confidence" and not math.isclose(told[name], given[name])]
    if other:
        message = f"reconsider changes {', '.join(other)} of an action: it may change the confidence alone"
        raise CheckFailedError(message)
    before, after = given["confidence"], told["confidence"]
    if not LEAST * before - STEP <= after <= min(MOST * before, 1.0) + STEP:
        message = f"reconsider makes a confidence of {before:.4f} one of {after:.4f}: x {LEAST} to x {MOST} is allowed"
        raise CheckFailedError(message)
    if not recalled and not math.isclose(before, after, abs_tol=STEP):
        message = f"reconsider changes a confidence of {before:.4f} to {after:.4f} though nothing was recalled"
        raise CheckFailedError(message)
    return after / before if before else 1.0


def told(ablation: Ablation) -> Mapping[str, float]:
    """The numbers of a certificate."""
    values = {f"{arm} profit": float(profit.mean()) for arm, profit in ablation.profit.items()}
    values |= {f"{arm} t": ablation.t(arm) for arm in ablation.profit if arm != "none"}
    values |= {f"real over {arm} t": ablation.t("real", arm) for arm in ("permuted", "random", "recency")}
    return values | {"recalled": float(ablation.asked), "second half t": ablation.worn()}
