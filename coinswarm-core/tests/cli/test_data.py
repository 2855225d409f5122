"""``coinswarm data import`` and ``show``, as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from coinswarm.cli import main
from coinswarm.feeds.files import load_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

HEADER = "timestamp_ms,open,high,low,close,volume"
START_MS, HOUR_MS = 1_514_764_800_000, 3_600_000


def lines(hours: Sequence[int] = (0, 1, 2, 5, 6)) -> list[str]:
    """Sound hourly rows; by default two are missing."""
    return [HEADER, *(f"{START_MS + hour * HOUR_MS},100.5,102.25,99.75,101,1.5" for hour in hours)]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty $COINSWARM_HOME/data."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "data"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def to_file(content: Sequence[str], name: str = "BTCUSD_1h.csv") -> str:
        path = tmp_path / name
        path.write_text("\n".join(content))
        return str(path)

    return to_file


def test_an_import_is_kept_and_shown(kept: Path, write: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "import", write(lines())]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for needed in (
        "BTC/USD (guessed from the file name)",
        "5 of 1h (the most common step)",
        "2018-01-01T00:00:00Z to 2018-01-01T06:00:00Z",
        "2 bars (28.57%) in 1 gap, longest 3.00 h from one bar's open to the next; nothing was filled",
        "times         epoch ms, each of its bar's open",
        "volume        in base (BTC)",
        "2 after 2018-01-01T02:00:00Z",
        "99.75 to 102.25 USD",
        "0.01 (inferred: the file has 2 decimals)",
        "0.1 (inferred: the file has 1 decimal)",
        str(kept / "BTC-USD_1h.npz"),
    ):
        assert needed in out
    assert main(["data", "show", "BTC-USD_1h"]) == 0
    assert "imported from BTCUSD_1h.csv" in capsys.readouterr().out
    assert main(["data", "show"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", "BTC-USD_1h", "BTC/USD", "ETH/USD"]


def test_json_for_machines(kept: Path, write: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    path = write(lines())
    assert main(["data", "import", path, "--json"]) == 0
    imported = json.loads(capsys.readouterr().out)
    assert main(["data", "show", path, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert imported.pop("written") == str(kept / "BTC-USD_1h.npz")
    assert shown.pop("written") is None
    assert imported == shown
    assert (shown["missing"], shown["tick"], shown["lot"], shown["rows"]) == (2, "0.01", "0.1", 5)
    assert shown["longest_gaps"] == [{"after": "2018-01-01T02:00:00Z", "missing": 2, "span_s": 10_800.0}]
    assert main(["data", "show", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["BTC-USD_1h", "BTC/USD", "ETH/USD"]


def test_what_is_declared_is_used(kept: Path, write: Callable[..., str], tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "x.npz"
    options = ["--symbol", "ETH/EUR", "--bar", "1h", "--stamp", "close", "--volume", "quote"]
    options += ["--tick", "0.25", "--lot", "0.001", "--columns", "time,open,high,low,close,volume", "--out", str(out)]
    assert main(["data", "import", write(lines()), *options]) == 0
    bars = load_bars(out).bars
    assert (bars.instrument.symbol, str(bars.instrument.tick), str(bars.instrument.lot)) == ("ETH/EUR", "0.25", "0.001")
    assert bars.open_ns[0] == (START_MS - HOUR_MS) * 1_000_000
    assert bars.volume[0] == 1.5 / 101
    assert not kept.exists()


def test_other_data_is_not_written_over_unasked(
    kept: Path, write: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "import", write(lines())]) == 0
    before = (kept / "BTC-USD_1h.npz").read_bytes()
    assert main(["data", "import", write(lines())]) == 0
    other = write(lines([7, 8, 9]))
    capsys.readouterr()
    assert main(["data", "import", other]) == 2
    assert "is there already and holds other data: pass --replace" in capsys.readouterr().err
    assert (kept / "BTC-USD_1h.npz").read_bytes() == before
    assert main(["data", "import", other, "--replace"]) == 0
    assert len(load_bars(kept / "BTC-USD_1h.npz").bars) == 3


def test_of_two_imports_at_once_the_later_is_refused_unless_it_is_the_same(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other, out = write(lines()), write(lines([7, 8, 9]), "other.csv"), tmp_path / "x.npz"
    assert main(["data", "import", first, "--symbol", "BTC/USD", "--out", str(out)]) == 0
    before = out.read_bytes()
    out.unlink()
    real = os.link

    def sooner(source: str, target: str) -> None:
        out.write_bytes(before)
        real(source, target)

    monkeypatch.setattr(os, "link", sooner)
    for file, code in ((other, 2), (first, 0)):
        capsys.readouterr()
        out.unlink(missing_ok=True)
        assert main(["data", "import", file, "--symbol", "BTC/USD", "--out", str(out)]) == code
        assert ("holds other data: pass --replace" in capsys.readouterr().err) == (code == 2)
        assert out.read_bytes() == before


BAD: dict[str, tuple[list[str], list[str], str]] = {
    "empty": ([], [], "is empty"),
    "text": (["once upon a time"], [], "not a table of bars"),
    "unsorted": ([HEADER, *lines()[2:4], lines()[1]], [], "time earlier than the row before in 1 row (line 4)"),
    "duplicated": ([*lines(), lines()[-1]], [], "time repeated in 1 row (line 7)"),
    "NaN": ([*lines(), f"{START_MS + 7 * HOUR_MS},nan,102,99,101,1"], [], "not a finite number in 1 row (line 7)"),
    "high < low": ([*lines(), f"{START_MS + 7 * HOUR_MS},100,98,99,99,1"], [], "high below low in 1 row (line 7)"),
    "unknown column": ([HEADER.replace("volume", "vulome"), *lines()[1:]], [], "did you mean 'vulome'?"),
    "bar length": (lines(), ["--bar", "1m"], "no two rows are 1m apart, most are 1h"),
    "bar text": (lines(), ["--bar", "hourly"], "bar length 'hourly'"),
    "symbol": (lines(), ["--symbol", "BTCUSD"], "did you mean 'BTC/USD'?"),
    "tick": (lines(), ["--tick", "a lot"], "--tick 'a lot' is not a number"),
    "lot": (lines(), ["--lot", "NaN"], "--lot 'NaN' is not a number"),
    "stamp": (lines(), ["--stamp", "middle"], "middle"),
    "out": (lines(), ["--out", "x.csv"], "does not end in .npz"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(
    case: str, kept: Path, write: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    content, options, message = BAD[case]
    assert main(["data", "import", write(content), *options]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not kept.exists()


def test_missing_files_and_folders_are_one_line(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for args, message in (
        (["data", "import", str(tmp_path / "none.csv")], "there is no file"),
        (["data", "import", str(tmp_path)], "is a folder"),
        (["data", "show", "BTC/USDT"], "did you mean 'BTC/USD'?"),
        (["data", "show", str(tmp_path / "none.csv")], "there is no file"),
        (["data", "shwo"], "did you mean 'show'?"),
    ):
        assert main(args) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert message in err
    assert not kept.exists()


def test_a_damaged_stored_file_does_not_hide_the_others(
    kept: Path, write: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "import", write(lines())]) == 0
    (kept / "AAA.npz").write_bytes(b"PK\x03\x04")
    capsys.readouterr()
    assert main(["data", "show"]) == 2
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["BTC-USD_1h", "BTC/USD", "ETH/USD", "damaged:"]
    assert out.splitlines()[-1].startswith("damaged: AAA: ")
    assert err == (
        f"coinswarm: error: 1 of 4 cannot be used (AAA): import it again with --replace, or remove it from {kept}\n"
    )
    assert main(["data", "show", "--json"]) == 2
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert [bool(row["damage"]) for row in rows.values()] == [True, False, False, False]
    assert rows["AAA"]["path"] == str(kept / "AAA.npz")


def test_an_output_that_cannot_be_written(
    kept: Path, write: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.npz").mkdir()
    for out, message in (("file/x.npz", "cannot be written"), ("folder.npz", "is a folder")):
        assert main(["data", "import", write(lines()), "--out", str(tmp_path / out)]) == 2
        err = capsys.readouterr().err
        assert (err.count("\n"), message in err) == (1, True)
    assert not kept.exists()


def test_ctrl_c_leaves_nothing(kept: Path, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    assert main(["data", "import", write(lines())]) == 130
    assert list(kept.iterdir()) == []


@pytest.mark.integration
@pytest.mark.skipif(os.name != "posix", reason="file-size limits are POSIX")
def test_a_full_disk_leaves_no_half_written_file(kept: Path, write: Callable[..., str]) -> None:
    # A file-size limit of 1 KiB stands for the full disk: writing past it fails with an OSError.
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024));"
        "from coinswarm.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-B", "-c", code, "data", "import", write(lines(range(500)))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "cannot be written (File too large)" in done.stderr
    assert list(kept.iterdir()) == []
