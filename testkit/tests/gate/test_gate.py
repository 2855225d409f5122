"""The gate as an operator meets it: certificates of a really installed plugin, what breaks them, what it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

Bed = Any
"""As in conftest."""

PLUGIN = """\
from coinswarm.declarations import AgentType
from coinswarm.hookspecs import hookimpl


@hookimpl
def coinswarm_agents():
    yield AgentType(name="sly", summary="Test.", target="sly.agent:Sly", reasons=("down", "up"))
"""

PEEKING = """\
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import Action, Side


class Sly(SignalAgent):
    def decide(self, state):
        closes = state._bars.close
        up = state.index + 1 < len(closes) and closes[state.index + 1] > state.close
        return Action(Side.BUY if up else Side.FLAT, 1.0, 0.5, 5.0, 10.0, reason=int(up))
"""


def test_a_certificate_counts_until_one_byte_changes(bed: Bed, tmp_path: Path) -> None:
    bed.install()
    report = tmp_path / "out" / "report.html"
    code, verdict, err = bed.check("--tier", "bronze", "--report", str(report))
    assert (code, err) == (0, "")
    [subject] = verdict["subjects"]
    assert (subject["tier"], subject["kind"], subject["name"]) == ("bronze", "agent", "sly")
    [one] = bed.certificates()
    said = one["certificate"]
    assert (said["plugin"], said["distribution"], said["version"]) == ("sly", "coinswarm-sly", "1.0")
    assert {"coinswarm-core", "coinswarm-testkit", "api", "python", "numpy"} <= said["made_with"].keys()
    assert "sly/agent.py" in said["files"]
    assert (one["counts"], subject["certificate"]) == (True, one["file"])
    page = report.read_text()
    assert page.index("agent sly: bronze reached, bronze asked for.") < page.index("Packaging") < page.index("P30")
    assert "http" not in page.replace("http-equiv", "")
    assert bed.run("plugins", "certificates", "verify", "sly").returncode == 0
    agent = bed.site / "sly" / "agent.py"
    data = bytearray(agent.read_bytes())
    data[-2] ^= 1
    agent.write_bytes(data)
    done = bed.run("plugins", "certificates", "verify", "sly")
    assert done.returncode == 2
    assert "does not count: sly/agent.py differs from what was installed" in done.stderr
    assert " broken " in bed.run("plugins", "list").stdout


def test_a_failure_is_told_with_the_command_that_repeats_it_and_takes_the_certificate_away(bed: Bed) -> None:
    bed.install()
    assert bed.check("--tier", "bronze")[0] == 0
    record = {"sly/agent.py": PEEKING}
    bed.install(record)
    assert [one["counts"] for one in bed.certificates()] == [False]
    done = bed.run("plugins", "check", "sly")
    assert done.returncode == 3
    assert "A30 failed: history that ends at a bar and history that goes on differ at bar" in done.stdout
    line = "coinswarm plugins check sly --tier silver --seed 0 --kind agent --object sly --only A30"
    assert f"    reproduce: {line}\n" in done.stdout
    assert "Tier         bronze" in done.stdout
    assert "agent 'sly' does not reach silver: " in done.stderr
    again = bed.run(*line.split()[1:])
    assert again.returncode == 3
    assert "A30 failed: history that ends at a bar" in again.stdout
    assert "Certificate  none: only some checks were run" in again.stdout
    assert bed.check("--only", "P10")[0] == 0, "it passes what it passes"


def test_a_failure_takes_away_what_the_same_files_had_earned(bed: Bed) -> None:
    """A plugin that behaves once: what it failed later counts, for the very same files."""
    flag = bed.root / "behave"
    bed.install(
        {"sly/plugin.py": f"import pathlib\nif not pathlib.Path({str(flag)!r}).exists():\n    import numpy\n{PLUGIN}"}
    )
    flag.touch()
    assert bed.check("--tier", "bronze")[0] == 0
    [one] = bed.certificates()
    flag.unlink()
    code, verdict, _ = bed.check("--tier", "bronze")
    assert (code, list(bed.failed(verdict))) == (3, ["P20"])
    assert verdict["subjects"][0]["revoked"] == [one["file"]]
    assert bed.certificates() == []


def test_an_editable_install_is_judged_and_has_no_certificate(bed: Bed) -> None:
    bed.install()
    info = next(bed.site.glob("coinswarm_sly-*.dist-info"))
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    code, verdict, _ = bed.check("--tier", "bronze")
    assert code == 0
    assert verdict["uncertifiable"].startswith("it is an editable install, whose files may change at any time")
    assert bed.certificates() == []


def test_what_lies_in_another_distribution_has_no_certificate(bed: Bed) -> None:
    """It could change, and the certificate would go on counting."""
    bed.install({"sly/plugin.py": PLUGIN.replace("sly.agent:Sly", "payload.agent:Sly")})
    (bed.site / "payload").mkdir()
    (bed.site / "payload" / "__init__.py").touch()
    (bed.site / "payload" / "agent.py").write_text((bed.site / "sly" / "agent.py").read_text())
    code, verdict, _ = bed.check("--tier", "bronze")
    assert code == 0
    assert verdict["uncertifiable"].startswith("payload.agent:Sly is in no file of coinswarm-sly, so that no certific")
    assert bed.certificates() == []


def test_a_waiver_needs_a_reason_and_a_failure(bed: Bed) -> None:
    bed.install({"sly/plugin.py": (PLUGIN + "import numpy\n")})
    code, verdict, _ = bed.check("--tier", "bronze")
    assert (code, list(bed.failed(verdict))) == (3, ["P20"])
    code, verdict, _ = bed.check("--tier", "bronze", "--waive", "P20=numpy until 2.0")
    assert (code, bed.failed(verdict)) == (0, {})
    [one] = bed.certificates()
    assert one["certificate"]["waivers"].keys() == {"P20"}
    assert "numpy until 2.0" in one["certificate"]["waivers"]["P20"]
    code, _, err = bed.check("--tier", "bronze", "--waive", "P25=why not")
    assert code == 2
    assert "cannot be waived" in err
    code, _, err = bed.check("--tier", "bronze", "--waive", "P20")
    assert code == 2
    assert "is not ID=REASON" in err


def test_against_an_older_version_from_a_wheel_and_from_an_environment(bed: Bed, tmp_path: Path) -> None:
    agent = PEEKING.replace("closes[state.index + 1]", "state.open")
    bed.install({"sly/agent.py": agent}, version="1.0")
    wheel = tmp_path / "coinswarm_sly-1.0-py3-none-any.whl"
    older = tmp_path / "older"
    with zipfile.ZipFile(wheel, "w") as packed:
        for path in [*bed.site.glob("sly/*.py"), *bed.site.glob("coinswarm_sly-1.0.dist-info/*")]:
            packed.write(path, path.relative_to(bed.site))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(older / "lib" / "python3" / "site-packages")
    for path in bed.site.glob("coinswarm_sly-1.0.dist-info/*"):
        path.unlink()
    next(bed.site.glob("coinswarm_sly-1.0.dist-info")).rmdir()
    bed.install({"sly/agent.py": agent.replace("> state.close", "< state.close")}, version="1.1")
    for old in (wheel, older):
        code, verdict, err = bed.check("--tier", "bronze", "--against", str(old))
        assert (code, err) == (0, "")
        [head, *lines] = verdict["subjects"][0]["compared"]
        assert head.startswith("against 1.0 on BTC/USD: another decision at ")
        assert "direction " in lines[0]
    code, _, err = bed.check("--tier", "bronze", "--against", str(tmp_path))
    assert code == 2
    assert "holds no installed coinswarm-sly: name an environment that has it, or a wheel of it" in err


def test_progress_in_a_pipe_is_a_line_for_each_check(bed: Bed) -> None:
    bed.install()
    done = bed.run("plugins", "check", "sly", "--tier", "bronze")
    assert done.stderr.splitlines()[0].startswith("judging agent sly: ")
    assert "P10 passed: the declaration is valid" in done.stderr.splitlines()
    assert bed.run("plugins", "check", "sly", "--tier", "bronze", "--quiet").stderr == ""


def test_an_interrupted_judge_ends_its_workers_and_their_folders(bed: Bed, tmp_path: Path) -> None:
    """Also one that is busy for ever; it writes who it is once it is."""
    told, place = tmp_path / "busy", tmp_path / "scratch"
    place.mkdir()
    os.mkfifo(told)
    busy = f"        import os\n        open({str(told)!r}, 'w').write(str(os.getpid()))\n        while True: pass\n"
    bed.install({"sly/agent.py": f"{PEEKING.partition('        closes')[0]}{busy}"})
    heeding = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); import coinswarm.cli as c"
    with subprocess.Popen(
        [bed.python, "-c", f"{heeding}; sys.exit(c.main(['plugins', 'check', 'sly']))"],
        cwd=bed.folder, env=bed.variables(TMPDIR=str(place)), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        worker = int(told.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert list(place.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
