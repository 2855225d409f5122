"""Ingestors of a source that is not the reference's: what recordings may not say, and ways to send a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import coinswarm_testkit
from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import checks_for, judge
from coinswarm_testkit.verdicts import Result

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = Path(coinswarm_testkit.__file__).parent / "reference" / "recordings" / "polled.json"
SOURCE = '''
import base64
import logging
import anyio
from coinswarm.domain.observation import Batch
from coinswarm_testkit.reference import http
from coinswarm_testkit.reference.ingestors import PolledReadings, demand_okay, understood

class TwoSteps(PolledReadings):
    """Sends its secret in a body, and is given a token for it, as OAuth does."""

    token = ""

    async def fetch(self, cursor, now):
        key = self._settings.api_key.get_secret_value()
        base, body = self._settings.base_url, f"grant=client&secret={key}".encode()
        async with self._told(now):
            answer = await http.request("POST", base, "/token", body=body)
            demand_okay(answer, "/token")
            token = self.token = understood(answer.body, "/token", lambda page: page["token"] + "")
            query = {"series": self._settings.series, "from": cursor.text or "0"}
            headers = {"authorization": f"Bearer {token}"}
            answer = await http.request("GET", base, "/v1/readings", query=query, headers=headers)
            demand_okay(answer, "/v1/readings")
            received = now()
            return self.batch(understood(answer.body, "/v1/readings", lambda page: self.read(page, received)), cursor)

class Stubborn(TwoSteps):
    """Asks once more when it is cancelled with its token in its hands."""

    async def fetch(self, cursor, now):
        try:
            return await super().fetch(cursor, now)
        except anyio.get_cancelled_exc_class():
            if not self.token:
                raise
            return Batch((), cursor)

class Basic(PolledReadings):
    """Sends it in base64, behind a name."""

    def told(self, word): pass

    async def fetch(self, cursor, now):
        key = self._settings.api_key.get_secret_value()
        word = base64.b64encode(f"somebody:{key}".encode()).decode()
        self.told(word)
        query = {"series": self._settings.series, "from": cursor.text or "0"}
        headers = {"authorization": f"Basic {word}"}
        async with self._told(now):
            answer = await http.request("GET", self._settings.base_url, "/v1/readings", query=query, headers=headers)
            demand_okay(answer, "/v1/readings")
            received = now()
            return self.batch(understood(answer.body, "/v1/readings", lambda page: self.read(page, received)), cursor)

class Told(Basic):
    """And tells what it sends."""

    def told(self, word): logging.getLogger("basic").debug("authorization %s", word)
'''

Judged = Any


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judged:
    """What an ingestor of a package of its own fails, by id: by which class, with a recording changed how."""
    package = tmp_path / "played_source"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "ingestor.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))

    def judge_it(target: str, change: Callable[[dict[str, Any]], None] = lambda _: None, *only: str) -> dict[str, str]:
        recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
        change(recorded)
        (package / "recording.json").write_text(json.dumps(recorded))
        declaration = {"polled_seconds": 60, "recording": "played_source:recording.json"}
        settings = "coinswarm_testkit.reference.ingestors:PolledSettings"
        subject = Subject("played", target, settings, kind="ingestor", declaration=declaration)
        checks = [one for one in checks_for("ingestor", tier="silver") if not only or one.id in only]
        found = list(judge(LocalBench(subject, 0), checks))
        assert not [one for one in found if one.id[0] == "I" and one.id != "I60" and one.result is Result.SKIPPED]
        return {one.id: one.reason for one in found if not one.good}

    return judge_it


REFERENCE = "coinswarm_testkit.reference.ingestors:PolledReadings"


def revised(recorded: dict[str, Any]) -> None:
    """The second reading is a revision of the first, and bears its times."""
    rows = [row for one in recorded["exchanges"] for row in one["response"]["json"]["readings"]]
    first = next(row for row in rows if row["id"] == 1)
    for row in rows:
        if row["id"] == 2:
            row.update(about=first["about"], published=first["published"])
    seen = {one["key"]: one for one in recorded["observations"]}
    seen["2"].update(event=seen["1"]["event"], published=seen["1"]["published"])


def with_token(recorded: dict[str, Any]) -> None:
    recorded["exchanges"].append(
        {"request": {"method": "POST", "path": "/token"}, "response": {"json": {"token": "t"}}}
    )


def test_a_revision_under_the_time_of_the_first_figure_is_look_ahead(judged: Judged) -> None:
    found = judged(REFERENCE, revised, "I10", "I15", "I20", "I25")
    assert list(found) == ["I15"]
    assert "'1') and ('imaginary', 'readings', 'policy-rate', '2') say 4.50 and 4.25 of 2026-04-01" in found["I15"]
    assert "a revision has a time of its own" in found["I15"]


def test_nothing_is_published_after_it_was_received(judged: Judged) -> None:
    found = judged(REFERENCE, lambda recorded: recorded.update(now="2026-11-01T00:00:00Z"), "I10", "I15")
    assert list(found) == ["I15"]
    assert "'7') was published 2026-11-14 13:30:00+00:00, and received before that" in found["I15"]


@pytest.mark.parametrize(
    ("name", "change"), [("TwoSteps", with_token), ("Basic", lambda _: None)], ids=["body", "base64"]
)
def test_a_secret_is_sent_in_a_body_or_in_base64_by_honest_ones(
    judged: Judged, name: str, change: Callable[[dict[str, Any]], None]
) -> None:
    assert judged(f"played_source.ingestor:{name}", change) == {}


def test_base64_hides_nothing(judged: Judged) -> None:
    found = judged("played_source.ingestor:Told", lambda _: None, "I80")
    assert found == {"I80": "while all is well, its secret can be read in what it logs"}


def test_a_call_is_cancelled_in_its_second_request_too(judged: Judged) -> None:
    found = judged("played_source.ingestor:Stubborn", with_token, "I70")
    assert found == {"I70": "when it is cancelled it returned: let the cancellation through"}
