"""What a run keeps of its recalls."""

from __future__ import annotations

from coinswarm.domain.episode import Episode
from coinswarm.memory.quorum.records import START, Head
from coinswarm.memory.recall.estimate import Neighbour
from coinswarm.memory.recall.record import How, Numbers, Recall, RecallRecord


def near(number: int, distance: float) -> Neighbour:
    episode = Episode(
        id=f"{number:064x}", agent="a", instrument="X/USD", side=1, decided_ns=number, known_ns=number + 5,
        result_ppm=-number, risk_ppm=7,
    )  # fmt: skip
    return Neighbour(episode, distance, 3, -0.5, 0.25)


def test_recalls_become_tables_and_are_found_again() -> None:
    recalls = [
        Recall(10, 0, 1, 1, 10_000, How.NOTHING_KNOWN, 0),
        Recall(20, 0, 1, -1, 12_500, How.AGENT, 3, 7.5, 0.1, 0.35, (near(1, 0.25), near(2, 0.5))),
        Recall(20, 1, 1, 1, 9_000, How.ESTIMATE, 3, 6.0, 0.1, 0.0, (near(3, 1.0),)),
    ]
    record = RecallRecord.of(recalls, START, Head(4, "b" * 64), Numbers(4, 1, [(5, 1, -3, 9)], [(7, 2)]), "a/b")
    assert record.rows.shape == (3, 11)
    assert record.multipliers(0, 1) == {10: 10_000, 20: 12_500}
    assert record.multipliers(0, 0) == {}
    assert record.abstained == 1
    assert record.neighbours_of(0) == ([], [])
    told, ids = record.neighbours_of(1)
    assert ids == [f"{1:064x}", f"{2:064x}"]
    assert told[1] == {
        "decided_ns": 2, "known_ns": 7, "distance_ppm": 500_000, "result_ppm": -2, "risk_ppm": 7, "weight_ppm": 250_000,
    }  # fmt: skip
    assert record.neighbours_of(2)[1] == [f"{3:064x}"]
    assert (record.refused, record.earlier.tolist(), record.withheld.tolist()) == (1, [[5, 1, -3, 9]], [[7, 2]])
    assert record.log == "a/b"
    assert (record.fork, record.head, record.episodes) == ((0, START.hash), (4, "b" * 64), 4)


def test_no_recall_at_all() -> None:
    record = RecallRecord.of([], START, START, Numbers())
    assert (record.rows.shape, record.neighbours.shape, record.ids.shape) == ((0, 11), (0, 6), (0, 32))
    assert (record.earlier.shape, record.withheld.shape) == ((0, 4), (0, 2))
    assert (record.abstained, record.multipliers(0, 0)) == (0, {})
