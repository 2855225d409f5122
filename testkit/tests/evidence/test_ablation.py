"""Arms of the ablation: who may see what, and whether a memory that tells something is told from one that does not."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm.domain.action import Action, Side
from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.ablation import (
    EMBARGO_BARS,
    NEAREST,
    Ablation,
    _factor,
    _held_equal,
    _questions,
    _stories,
    _unit,
    ablate,
    paired,
)
from coinswarm_testkit.markets import shapes
from coinswarm_testkit.markets.ensembles import CONTROL, Ensemble, ensemble
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.verdicts import CheckFailedError

REFERENCE = "coinswarm_testkit.reference.recalling:RecallingAgent"


def bench(target: str) -> LocalBench:
    return LocalBench(Subject("recalling", target, declaration={"needs": ["memory"]}))


def told_by_volume(paths: int, bars: int, seed: int) -> Ensemble:
    """Stretches of 100 bars that trend, or do not; the volume says which."""
    rng = np.random.default_rng(seed)
    form = (paths, bars)
    turns = (paths, bars // 100 + 1)
    trending = np.repeat(rng.choice([False, True], turns), 100, axis=1)[:, :bars]
    drift = np.repeat(rng.choice([-0.003, 0.003], turns), 100, axis=1)[:, :bars] * trending
    steps = drift + 0.006 * rng.standard_normal(form)
    grid = shapes.around(shapes.PRICE * np.exp(np.cumsum(steps, axis=1)), rng, reach=0.003)
    return Ensemble("told", grid._replace(volume=np.where(trending, 400.0, 20.0)))


def test_a_memory_that_tells_is_better_than_any_that_does_not() -> None:
    found = ablate(bench("reads_the_volume:ReadsTheVolume"), told_by_volume(24, 1_500, 1), costs=desk.VENUES["binance"])
    for other in ("none", "permuted", "random", "recency"):
        assert found.t("real", other) > 3, other
    assert found.t("leaky") > found.t("real")
    assert found.t("leaky", "real") > 3


def test_vectors_made_at_once_are_held_to_those_made_one_by_one() -> None:
    vector, nothing = np.ones(2, np.float32), np.zeros(2, np.float32)
    _held_equal([vector, None], None)
    _held_equal([vector, None], [vector, nothing])
    for wrong in ([nothing, nothing], [vector, vector], [2 * vector, nothing]):
        with pytest.raises(CheckFailedError, match="embed_all answers"):
            _held_equal([vector, None], wrong)


def test_who_may_see_what() -> None:
    one = bench(REFERENCE)
    story = _stories(one, ensemble(CONTROL, 1_200, 4, paths=1), desk.FREE)[0]
    made = [episode for episode in story.episodes if episode is not None]
    assert len(made) > 30
    assert [episode.decided_ns for episode in made] == sorted(episode.decided_ns for episode in made)
    assert all(episode.known_ns > episode.decided_ns for episode in made)
    true = {episode.id: episode for episode in made}
    length = story.bars.length_ns
    for arm in ("permuted", "random", "recency", "real", "leaky"):
        questions = _questions(story, arm, 0, 0)
        assert len(questions) == len(story.rows)
        late = 0
        for row, (action, recalled) in zip(story.rows, questions, strict=True):
            now = int(story.bars.open_ns[row]) + length
            visible = [episode for episode in made if episode.known_ns + EMBARGO_BARS * length <= now]
            late += sum(one.episode.known_ns + EMBARGO_BARS * length > now for one in recalled)
            assert len(recalled) == min(NEAREST, len(made) if arm == "leaky" else len(visible))
            assert action.confidence == 0.5
            distances = [one.distance for one in recalled]
            if arm in {"real", "leaky", "permuted"}:
                assert distances == sorted(distances)
            if arm == "recency":
                known = sorted((episode.known_ns for episode in visible), reverse=True)[:NEAREST]
                assert [one.episode.known_ns for one in recalled] == known
            if arm != "permuted":
                assert all(one.episode == true[one.episode.id] for one in recalled)
            else:
                outcomes = {episode.result_ppm for episode in visible}
                assert {one.episode.result_ppm for one in recalled} <= outcomes
        assert (late > 0) == (arm == "leaky")
    real, leaky = _questions(story, "real", 0, 0), _questions(story, "leaky", 0, 0)
    assert real != leaky
    assert _questions(story, "random", 0, 0) == _questions(story, "random", 0, 0) != _questions(story, "random", 1, 0)


def test_wearing_out_is_measured_against_the_first_half() -> None:
    rng = np.random.default_rng(1)
    noise = 0.01 * rng.standard_normal((64, 2))

    def worn(first: float, second: float) -> float:
        return Ablation({}, np.array([first, second]) + noise, 0).worn()

    assert worn(0.1, 0.1) > 4
    assert abs(worn(0.1, 0.08)) < 3
    assert worn(0.1, 0.05) < -4
    assert worn(-0.1, -0.1) > 4
    assert worn(-0.1, -0.2) < -4


@pytest.mark.parametrize(
    ("changed", "recalled", "says"),
    [
        ({"side": Side.SELL}, True, "reconsider changes side of an action"),
        ({"stop_distance": 2.0, "reason": 3}, True, "reconsider changes stop_distance, reason of an action"),
        ({"confidence": 0.2}, True, "makes a confidence of 0.5000 one of 0.2000: x 0.5 to x 1.5"),
        ({"confidence": 0.8}, True, "makes a confidence of 0.5000 one of 0.8000"),
        ({"confidence": 0.4}, False, "of 0.5000 to 0.4000 though nothing was recalled"),
    ],
)
def test_reconsider_may_move_the_confidence_alone(changed: dict[str, float], recalled: bool, says: str) -> None:  # noqa: FBT001 - a case
    action = Action(Side.BUY, 0.5, 1.0, 1.0)
    reply = [float(value) for value in action._replace(**changed)]  # type: ignore[arg-type]
    with pytest.raises(CheckFailedError, match=says):
        _factor(action, reply, recalled=recalled)


def test_a_factor_is_what_became_of_the_confidence() -> None:
    action = Action(Side.BUY, 0.5, 1.0, 1.0)
    assert _factor(action, [1.0, 0.75, 1.0, 1.0, 0.0, 0.0], recalled=True) == 1.5
    assert _factor(action, [float(value) for value in action], recalled=False) == 1.0
    assert _factor(action._replace(confidence=0.0), [1.0, 0.0, 1.0, 1.0, 0.0, 0.0], recalled=True) == 1.0


def test_vectors_are_of_one_width_and_have_a_direction() -> None:
    width: set[int] = set()
    assert _unit(None, width) is None
    unit = _unit(np.array([3.0, 4.0], np.float32), width)
    assert unit is not None
    assert unit.tolist() == pytest.approx([0.6, 0.8])
    for wrong in (np.zeros(2), np.array([1.0, np.nan]), np.ones((1, 2)), np.ones(3)):
        with pytest.raises(CheckFailedError, match="embed answers a vector of"):
            _unit(wrong, {2})


def test_paired_differences() -> None:
    assert paired(np.zeros(5)) == 0.0
    assert paired(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 / (1 / np.sqrt(3)))
