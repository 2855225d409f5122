"""What the judge makes of a request, in this process; the plugin lives in its workers all the same."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coinswarm.errors import NotReadyError, OperatorError, OutputError, UnknownNameError
from coinswarm.feeds.files import sample
from coinswarm.plugins.certificates import KEY, hold, read_all
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.signing import FOLDER, sign
from coinswarm_testkit.gate import __main__ as process
from coinswarm_testkit.gate import against, certifying
from coinswarm_testkit.gate.judging import judged
from coinswarm_testkit.gate.report import demand_writable, number, page, write_report
from coinswarm_testkit.gate.request import Request

LINE = "coinswarm plugins check trend --tier bronze --seed 0"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def asked(home: Path, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:  # noqa: ANN401
    """A verdict, and the events before it."""
    events: list[dict[str, Any]] = []
    request = Request(**{"plugin": "trend", "tier": "bronze", "again": LINE, "home": str(home), **more})
    return judged(request, events.append), [event for event in events if event["event"] != "compiling"]


def test_a_profile_that_seats_nothing_of_a_plugin_judges_nothing_of_it(home: Path) -> None:
    seats = ({"kind": "agent", "name": "other", "settings": {}},)
    with pytest.raises(OperatorError, match=r"^agent trend of plugin 'trend' is not judged .*: leave out --profile"):
        asked(home, settings=None, seats=seats)


def test_a_good_plugin_earns_what_was_asked_for(home: Path, tmp_path: Path) -> None:
    verdict, events = asked(home, report=str(tmp_path / "report.html"), settings={"fast": 15})
    assert verdict["good"]
    [one] = verdict["subjects"]
    assert (one["tier"], one["settings"], one["revoked"], one["compared"]) == ("bronze", {"fast": 15}, [], [])
    kinds = [event["event"] for event in events]
    assert kinds[0] == "subject"
    assert kinds.count("check") == kinds.count("outcome") == events[0]["checks"] == len(one["checks"])
    [found] = read_all(home)
    assert hold(found, discover()).why == ""
    assert (found.certificate.settings, found.certificate.asked) == ({"fast": 15}, "bronze")
    assert str(found.path) == one["certificate"]
    assert "agent trend: bronze reached, bronze asked for." in (tmp_path / "report.html").read_text()


def test_seats_of_a_profile_are_judged_each_with_its_settings(home: Path) -> None:
    seat = {"kind": "agent", "name": "trend", "settings": {"fast": 15}}
    other = {"kind": "agent", "name": "meanrev", "settings": {}}
    verdict, _ = asked(home, seats=(seat, seat, other, {**seat, "settings": {}}), only=("P10",))
    assert [(one["settings"], one["tier"]) for one in verdict["subjects"]] == [({"fast": 15}, None), ({}, None)]
    assert verdict["uncertifiable"] == "only some checks were run"
    assert read_all(home) == ()


def test_bad_settings_fail_with_the_command_that_repeats_it(home: Path) -> None:
    verdict, events = asked(home, settings={"fast": -1}, only=("P10",))
    assert not verdict["good"]
    [row] = verdict["subjects"][0]["checks"]
    assert row["outcome"] == "failed"
    assert row["again"] == f"{LINE} --kind agent --object trend --only P10"
    assert [event["again"] for event in events if event["event"] == "outcome"] == [row["again"]]


@pytest.mark.parametrize(
    ("more", "kind", "said"),
    [
        ({"plugin": "trnd"}, UnknownNameError, "unknown plugin 'trnd': did you mean 'trend'?"),
        ({"plugin": "core"}, OperatorError, "core is not judged"),
        ({"settings": {"fast": math.nan}}, OperatorError, "the setting 'fast' is nan, which no certificate can say"),
        ({"kind": "weigher"}, UnknownNameError, "plugin 'trend' does not declare weigher"),
        ({"only": ("P1O",)}, UnknownNameError, "no check 'P1O' of agent 'trend' up to bronze: did you mean 'P10'?"),
        ({"waivers": {"A30": "x"}}, UnknownNameError, "no check 'A30' of agent 'trend' up to bronze"),
        ({"waivers": {"P30": "x"}}, OperatorError, "P30 (nothing runs by itself) guards money and cannot be waived"),
        ({"waivers": {"A80": "x"}, "tier": "gold"}, OperatorError, "is about evidence, which is had or not"),
    ],
)
def test_what_cannot_be_judged(home: Path, more: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as caught:
        asked(home, **more)
    assert said in str(caught.value)


def test_a_report_that_cannot_be_written_is_told_before_anything_is_judged(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "x.html", tmp_path):
        events: list[dict[str, Any]] = []
        with pytest.raises(OutputError, match=r"the report .* cannot be written"):
            judged(Request(plugin="trend", home=str(home), report=str(path)), events.append)
        assert events == []
    demand_writable(tmp_path / "deeper" / "x.html")
    assert list((tmp_path / "deeper").iterdir()) == [], "nothing is left there"


def test_a_waiver_of_what_holds_fails_and_takes_no_certificate_away(home: Path) -> None:
    asked(home)
    [earned] = read_all(home)
    verdict, _ = asked(home, waivers={"P50": "known: see the README"})
    [one] = verdict["subjects"]
    assert not verdict["good"]
    assert [row["reason"] for row in one["checks"] if row["outcome"] == "failed"] == [
        "it is waived (known: see the README), but holds: remove the waiver"
    ]
    assert one["revoked"] == []
    assert [found.path for found in read_all(home)] == [earned.path]


def test_a_home_that_takes_no_certificate_is_told_before_anything_is_judged(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    events: list[dict[str, Any]] = []
    with pytest.raises(OutputError, match=r"no certificate can be kept in .*file/home \(Not a directory\): set COINSW"):
        judged(Request(plugin="trend", home=str(tmp_path / "file" / "home")), events.append)
    assert events == []


def test_a_key_that_others_may_read_is_told_before_anything_is_judged(home: Path) -> None:
    sign(home, KEY, b"x")
    (home / FOLDER / f"{KEY}.pem").chmod(0o644)
    events: list[dict[str, Any]] = []
    with pytest.raises(NotReadyError, match="may be read by others"):
        judged(Request(plugin="trend", home=str(home)), events.append)
    assert events == []


def test_a_certificate_that_can_no_longer_be_written_is_no_fault_of_ours(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(certifying, "issue", full)
    with pytest.raises(OutputError, match=r"no certificate can be kept in .* \(No space left on device\)"):
        asked(home)


@pytest.mark.parametrize(("most", "said"), [("MOST_BYTES", "4 bytes in 1 files"), ("MOST_FILES", "in 1 files")])
def test_a_wheel_that_would_unpack_to_too_much_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: str, said: str
) -> None:
    monkeypatch.setattr(against, most, 0)
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as wheel:
        wheel.writestr("x.py", "pass")
    with pytest.raises(OperatorError, match=f"would unpack to .*{said}: name a wheel of at most"):
        against.older(tmp_path / "x.whl", "x").__enter__()


def test_what_is_no_wheel_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"PK")
    with pytest.raises(OperatorError, match="cannot be read as a wheel"):
        against.older(tmp_path / "x.whl", "x").__enter__()


def test_against_the_version_that_is_installed_nothing_differs(home: Path) -> None:
    site = str(next(Path(folder) for folder in sys.path if list(Path(folder).glob("coinswarm_trend-*.dist-info"))))
    data = ({"symbol": "BTC/USD", "file": str(sample("BTC/USD"))},)
    verdict, _ = asked(home, only=("P10",), against=site, instruments=data)
    [line] = verdict["subjects"][0]["compared"]
    assert line.endswith("on BTC/USD: the same decision at all 17,520 bars")


def test_the_process_says_an_object_per_line_and_ends_well(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def said(request: dict[str, Any]) -> list[dict[str, Any]]:
        told = tmp_path / "told"
        kept = os.dup(1), os.dup(2)
        with told.open("wb") as out:
            os.dup2(out.fileno(), 1)
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(request).encode())))
            try:
                assert process.main() == 0
            finally:
                os.dup2(kept[0], 1)
                os.dup2(kept[1], 2)
                os.close(kept[0])
                os.close(kept[1])
        return [json.loads(line) for line in told.read_bytes().splitlines()]

    request = {"plugin": "trend", "tier": "bronze", "only": ["P10"], "home": str(home)}
    told_ = [one["event"] for one in said(request)]
    assert [one for one in told_ if one != "compiling"] == ["subject", "check", "outcome", "verdict"]
    [error] = said({**request, "plugin": "trnd"})
    assert (error["event"], error["exit_code"], error["remedy"]) == ("error", 2, "did you mean 'trend'?")


ROW = {
    "id": "A80", "title": "evidence", "category": 2, "tier": "gold", "seconds": 1.0, "outcome": "failed",
    "reason": "<b>no</b>", "again": "coinswarm …",
    "measured": {"sharpe": 0.5, "sharpe_low": -0.5, "sharpe_high": 1.5, "trades": 1234, "word": "yes", "none": None},
    "limit": {"sharpe": ">= 1"},
}  # fmt: skip


def test_the_page_holds_numbers_intervals_limits_thresholds_and_comparisons() -> None:
    line = {"group": "BTC/USD, phase 1", "what": "Sharpe", "value": 0.5, "limit": ">= 1", "met": False}
    subject = {
        "kind": "agent", "name": "x", "settings": {"fast": 3}, "tier": None, "good": False, "certificate": None,
        "checks": [ROW], "thresholds": [line, {**line, "value": None, "met": True}], "compared": ["another decision"],
    }  # fmt: skip
    verdict = {
        "plugin": "x", "distribution": "cs-x", "version": "1", "asked": "gold", "uncertifiable": "why", "only": [],
        "subjects": [subject],
    }  # fmt: skip
    text = page(verdict, "again & again").decode()
    for wanted in (
        "agent x: no tier reached, gold asked for. Failed: A80. There is no certificate: why.",
        "-0.5 to 1.5", "1,234", "&lt;b&gt;no&lt;/b&gt;", "&gt;= 1", "not met", "another decision", "again &amp; again",
        "<dt>fast</dt>",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert "<b>no" not in text
    good = replace(Request(plugin="x"), again="a")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(Path("/dev/null/x.html"), verdict, good)
    assert [number(value) for value in (None, 0.12345, 12345.6, True, 7)] == ["-", "0.1235", "12,346", "True", "7"]
