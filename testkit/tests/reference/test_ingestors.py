"""The reference ingestors fail no check, in this process and in one of their own."""

from __future__ import annotations

import pytest

from coinswarm_testkit.bench import LocalBench, RemoteBench
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge
from coinswarm_testkit.verdicts import Result

PLACE = "coinswarm_testkit.reference.ingestors"
FOLDER = "coinswarm_testkit:reference/recordings"
POLLED = Subject(
    "polled", f"{PLACE}:PolledReadings", f"{PLACE}:PolledSettings", kind="ingestor",
    declaration={"polled_seconds": 60, "recording": f"{FOLDER}/polled.json"},
)  # fmt: skip
STREAMED = Subject(
    "streamed", f"{PLACE}:StreamedTrades", f"{PLACE}:StreamSettings", kind="ingestor",
    declaration={"polled_seconds": 0, "recording": f"{FOLDER}/stream.json"},
)  # fmt: skip


@pytest.mark.parametrize("subject", [POLLED, STREAMED], ids=lambda one: one.name)
def test_a_reference_fails_nothing(subject: Subject) -> None:
    found = list(judge(LocalBench(subject), checks_for("ingestor", tier="silver")))
    assert [(one.id, one.reason) for one in found if not one.good] == []
    skipped = {one.id for one in found if one.result is Result.SKIPPED and one.id[0] == "I"}
    assert skipped == ({"I60"} if subject is POLLED else set())


@pytest.mark.soundness
@pytest.mark.parametrize("subject", [POLLED, STREAMED], ids=lambda one: one.name)
def test_nor_as_the_gate_judges_it(subject: Subject) -> None:
    checks = [check for check in checks_for("ingestor", tier="silver") if check.id in {"I10", "I30", "I70", "I80"}]
    with RemoteBench(subject) as bench:
        found = list(judge(bench, checks))
    assert [(one.id, one.reason) for one in found if not one.good] == []


@pytest.mark.parametrize(
    ("recording", "said"),
    [({}, "names no recording"), ({"recording": f"{FOLDER}/__init__.py"}, "is not among the installed files")],
)
def test_without_a_recording_it_cannot_be_judged_and_one_check_says_so(recording: dict[str, str], said: str) -> None:
    declaration = {"polled_seconds": 60, **recording}
    bare = Subject("bare", POLLED.target, POLLED.settings_target, kind="ingestor", declaration=declaration)
    found = {one.id: one for one in judge(LocalBench(bare), checks_for("ingestor", tier="silver"))}
    assert found["I10"].result is Result.FAILED
    assert said in found["I10"].reason
    [guarding] = [check.safety for check in checks_for("ingestor", tier="silver") if check.id == "I10"]
    assert guarding, "a waiver would leave it unjudged"
    assert {one.result for name, one in found.items() if name[0] == "I" and name != "I10"} == {Result.SKIPPED}
