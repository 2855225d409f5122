"""What is wrong with a declaration of an ingestor or a driver is told by its field."""

from __future__ import annotations

from typing import Any

import pytest

from coinswarm.declarations import DriverType, IngestorType
from coinswarm.errors import DeclarationError
from coinswarm.plugins.records import Origin, PluginRecord
from coinswarm.plugins.validation import valid_declarations

RECORD = PluginRecord(name="x", distribution="x", version="1", target="x.plugin", origin=Origin.WHEEL)
COMMON: dict[str, Any] = {"name": "x", "summary": "X.", "target": "x.y:Z"}


@pytest.mark.parametrize("recording", ["", "x:a.json", "my_pkg:recordings/v1/a-b.json"])
def test_recordings_inside_a_package(recording: str) -> None:
    entry = IngestorType(**COMMON, recording=recording)
    assert valid_declarations(RECORD, "coinswarm_ingestors", IngestorType, [entry]) == [entry]


@pytest.mark.parametrize("recording", ["a.json", "x:/etc/a.json", "x:../a.json", "x:a/../b.json", "x:a.txt", 7])
def test_recordings_elsewhere_are_refused(recording: Any) -> None:  # noqa: ANN401 - anything a plugin may say
    entry = IngestorType(**COMMON, recording=recording)
    with pytest.raises(DeclarationError, match=r"recording .* is not 'package:folder/file\.json'"):
        valid_declarations(RECORD, "coinswarm_ingestors", IngestorType, [entry])


@pytest.mark.parametrize("trial", [[("path", "x")], "path", {1: "x"}])
def test_a_trial_is_a_table_of_settings(trial: Any) -> None:  # noqa: ANN401 - anything a plugin may say
    with pytest.raises(DeclarationError, match=r"trial .* is not a dict of settings"):
        valid_declarations(RECORD, "coinswarm.buses", DriverType, [DriverType(**COMMON, trial=trial)])


class Unreadable:
    """Raises where it is looked at."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")  # noqa: EM101, TRY003 - as a plugin might


@pytest.mark.parametrize("answer", [Unreadable(), DriverType(**COMMON, trial=Unreadable())])  # type: ignore[arg-type]
def test_what_raises_where_it_is_read_is_no_declaration(answer: object) -> None:
    with pytest.raises(
        DeclarationError, match=r"x 1.*what coinswarm.buses returned cannot be read \(RuntimeError: no "
    ):
        valid_declarations(RECORD, "coinswarm.buses", DriverType, [answer])
