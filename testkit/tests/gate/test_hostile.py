"""Attempts on the gate, each against the real one: none leaves a certificate, and each failure says why.

The gate stops accident and casual forgery; a program that runs as the same user can take the user's key.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm._jit import cache_folder
from coinswarm_testkit.forkserver import SUPPORTED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

Bed = Any
"""As in conftest."""

HEAD = """\
from coinswarm.contracts import SignalAgent
from coinswarm.domain.action import Action, Side
"""

HOOKS = """\
from coinswarm.declarations import AgentType
from coinswarm.hookspecs import hookimpl


@hookimpl
def coinswarm_agents():
    yield AgentType(name="sly", summary="Test.", target="sly.agent:Sly", reasons=("down", "up"))
"""

PEEKING = (
    HEAD
    + """

class Sly(SignalAgent):
    def decide(self, state):
        closes = state._bars.close
        up = state.index + 1 < len(closes) and closes[state.index + 1] > state.close
        return Action(Side.BUY if up else Side.FLAT, 1.0, 0.5, 5.0, 10.0, reason=int(up))
"""
)
"""Looks at the bar after the one it decides on: what no gate may let pass."""

AGENT_HEAD = "\n\nclass Sly(SignalAgent):\n"
FLAT = "    def decide(self, state):\n        return Action(Side.FLAT, 1.0, reason=1)\n"

NO_TESTS = "def pytest_collection_modifyitems(items):\n    items.clear()\n"
LENIENT = "[pytest]\naddopts = -k nothing -p no:coinswarm\n"

GREEDY = """
import gc, sys, types
import coinswarm_testkit.suite, coinswarm_testkit.checks, coinswarm_testkit.verdicts, coinswarm_testkit.bench
for module in list(sys.modules.values()):
    if getattr(module, "__name__", "").startswith("coinswarm_testkit"):
        for name, value in list(vars(module).items()):
            if name in ("CHECKS", "checks"):
                setattr(module, name, ())
            if name in ("demand_equal", "judge", "outcome", "tier_of", "checks_for"):
                setattr(module, name, lambda *args, **kwargs: None)
"""
"""Takes the checks out of every module of the testkit that is in its process."""

SCRIBBLE = """
import os, struct
for fd in range(64):
    for frame in (b'{"event": "verdict", "good": true}\\n', struct.pack("<QQ", 1, 12) + b'{"is": null}'):
        try:
            os.write(fd, frame)
        except OSError:
            pass
"""
"""Writes a verdict, and an answer, on every file descriptor there is."""

ALWAYS = (
    HEAD
    + """

class Yes(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __hash__(self): return 0

class Sure(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0

class Sly(SignalAgent):
    def decide(self, state):
        closes = state._bars.close
        up = state.index + 1 < len(closes) and closes[state.index + 1] > state.close
        return Action(Side.BUY if up else Side.FLAT, Yes(1.0), Yes(0.5), Yes(5.0), Yes(10.0), reason=Sure(up))
"""
)
"""Peeks, and answers with numbers that say they are equal to everything."""

ANYTHING = (
    HEAD
    + """

class Everything:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self

class Sly(SignalAgent):
    def decide(self, state):
        return Everything()
"""
)


def exits(where: str) -> str:
    """An agent that ends the process with success in one of its methods."""
    body = "import os" + AGENT_HEAD + f"    def {where}:\n        os._exit(0)\n"
    return f"{HEAD}\n{body}" if "decide" in where else f"{HEAD}\n{body}{FLAT}"


def test_the_honest_plugin_earns_silver_here(bed: Bed) -> None:
    """Else every test below would show nothing."""
    bed.install()
    code, verdict, _ = bed.check()
    assert (code, bed.failed(verdict)) == (0, {})
    [one] = bed.certificates()
    assert (one["tier"], one["why"]) == ("silver", "")


def judged(bed: Bed, files: dict[str, str], *args: str, **variables: str) -> dict[str, str]:
    """Install, have it judged, hold that there is no certificate that counts; the failures by id."""
    bed.install(files)
    code, verdict, _ = bed.check(*args, **variables)
    assert code == 3
    assert not [one for one in bed.certificates() if one["counts"]]
    assert [one["certificate"] for one in verdict["subjects"]] == [None] * len(verdict["subjects"])
    failed: dict[str, str] = bed.failed(verdict)
    assert failed
    return failed


def test_conftest_ini_and_options_reach_nothing(bed: Bed) -> None:
    (bed.folder / "conftest.py").write_text(NO_TESTS)
    for name in ("pytest.ini", "tox.ini", "setup.cfg"):
        (bed.folder / name).write_text(LENIENT)
    (bed.folder / "coinswarm_testkit").mkdir()
    (bed.folder / "coinswarm_testkit" / "__init__.py").write_text("raise SystemExit(0)")
    (bed.folder / "coinswarm_testkit" / "gate.py").write_text('print(\'{"event": "verdict", "good": true}\')')
    (bed.folder / "sitecustomize.py").write_text("import os; os._exit(0)")
    inside = {"sly/agent.py": PEEKING, "sly/conftest.py": NO_TESTS, "sly/pytest.ini": LENIENT}
    failed = judged(
        bed, inside, PYTEST_ADDOPTS="-k nothing", PYTEST_PLUGINS="sly.conftest", PYTHONSTARTUP="conftest.py",
        PYTHONWARNINGS="ignore", PYTHONOPTIMIZE="1",
    )  # fmt: skip
    assert {"A30", "A32"} <= failed.keys()


@pytest.mark.parametrize("place", ["sly/plugin.py", "sly/agent.py"])
def test_a_plugin_that_takes_the_checks_away_is_checked(bed: Bed, place: str) -> None:
    files = {"sly/plugin.py": HOOKS, "sly/agent.py": PEEKING}
    failed = judged(bed, {**files, place: files[place] + GREEDY})
    assert {"A30", "A32"} <= failed.keys()


def test_whose_a_subject_is_does_not_come_from_its_process(bed: Bed) -> None:
    """What has no module and no distribution would be asked neither what its import does nor what it installs."""
    shy = (
        HOOKS
        + """
import dataclasses, sys
open("started.txt", "w").close()
worker = sys.modules.get("coinswarm_testkit.worker.subjects")
if worker:
    told = worker._subject
    worker._subject = lambda *args: dataclasses.replace(told(*args), plugin="", plugin_module="", distribution="")
"""
    )
    failed = judged(bed, {"sly/plugin.py": shy, "sly.pth": "import os\n"}, "--tier", "bronze")
    assert {"P25", "P30"} <= failed.keys()


@pytest.mark.parametrize("field", ["name='../../sly'", "kind='any/thing'", "declaration=None", "target=1"])
def test_what_is_no_declaration_is_not_judged(bed: Bed, field: str) -> None:
    odd = (
        HOOKS
        + f"""
import dataclasses, sys
worker = sys.modules.get("coinswarm_testkit.worker.subjects")
if worker:
    told = worker._subject
    worker._subject = lambda *args: dataclasses.replace(told(*args), {field})
"""
    )
    failed = judged(bed, {"sly/plugin.py": odd}, "--tier", "bronze")
    assert failed == {"P10": "it cannot be asked what it declares: its process answered with what is no declaration"}


def test_ending_with_success_at_import_is_no_answer(bed: Bed) -> None:
    failed = judged(bed, {"sly/plugin.py": f"import os; os._exit(0)\n{HOOKS}"})
    assert list(failed) == ["P10"]
    assert "its process ended with code 0" in failed["P10"]


@pytest.mark.parametrize("where", ["__init__(self)", "warm_up(self)", "decide(self, state)"])
def test_ending_with_success_later_is_no_answer(bed: Bed, where: str) -> None:
    failed = judged(bed, {"sly/agent.py": exits(where)})
    assert any("its process ended with code 0" in reason for reason in failed.values())


@pytest.mark.skipif(not SUPPORTED, reason="workers are forked on Linux alone")
def test_ending_what_workers_are_forked_from_fails(bed: Bed) -> None:
    """Once, when nothing else is asked of it: else it would be started anew, and nobody would know."""
    once = """
import os, signal, sys
def turn_on_its_parent():
    try:
        open(__file__ + ".done", "x").close()
    except FileExistsError:
        return
    os.kill(os.getppid(), signal.SIGKILL)
if "coinswarm_testkit.worker.warming" in sys.modules:
    turn_on_its_parent()
"""
    failed = judged(bed, {"sly/agent.py": HEAD + once + AGENT_HEAD + FLAT})
    assert "the process that its own are forked from was ended or stopped" in " ".join(failed.values())


@pytest.mark.parametrize(("source", "expected"), [(ALWAYS, {"A30", "A32"}), (ANYTHING, {"A45"})])
def test_answers_that_equal_everything_do_not(bed: Bed, source: str, expected: set[str]) -> None:
    assert expected <= judged(bed, {"sly/agent.py": source}).keys()


@pytest.mark.parametrize("place", ["sly/plugin.py", "sly/agent.py"])
def test_a_verdict_of_ones_own_on_any_file_descriptor_is_none(bed: Bed, place: str) -> None:
    files = {"sly/plugin.py": HOOKS, "sly/agent.py": PEEKING}
    failed = judged(bed, {**files, place: SCRIBBLE + files[place]})
    assert failed.keys() & {"P10", "A30"}


def test_a_forged_certificate_counts_for_nothing(bed: Bed, tmp_path: Path) -> None:
    """The plugin writes one where certificates lie, with every check passed and a key of its own."""
    forge = f"""
import json, os, pathlib
from importlib import metadata
try:
    from coinswarm.plugins.certificate import Certificate, CheckRow
    from coinswarm.plugins.certificates import issue, core_version
    from coinswarm.plugins.trust import digest_of, files_of
    from coinswarm.plugins.discovery import discover
    record = next(one for one in discover() if one.name == "sly")
    files = files_of(record)
    rows = tuple(
        CheckRow(id=f"A{{n}}", title="t", category=1, tier="gold", outcome="passed", seconds=0.1) for n in range(9)
    )
    mine = Certificate(kind="agent", name="sly", plugin="sly", distribution="coinswarm-sly", version="1.0",
                       digest=digest_of(files), files=files, made_with={{"coinswarm-core": core_version()}},
                       checks=rows, asked="gold", tier="gold", date="2026-11-28T00:00:00.000Z")
    path = issue(pathlib.Path({str(tmp_path / "forger")!r}), mine)
    for folder in (os.environ["COINSWARM_HOME"], {str(bed.home)!r}):
        place = pathlib.Path(folder) / "certificates"
        place.mkdir(parents=True, exist_ok=True)
        (place / path.name).write_bytes(path.read_bytes())
        print(path.read_text())
except Exception as error:
    print(error)
"""
    failed = judged(bed, {"sly/agent.py": forge + PEEKING})
    assert {"A30", "A32"} <= failed.keys()
    [one] = bed.certificates()
    assert one["tier"] == "gold"
    assert "it is signed by another key" in one["why"]
    assert "sly" in bed.run("plugins", "list").stdout
    assert "gold" not in bed.run("plugins", "list").stdout
    assert bed.run("plugins", "certificates", "verify").returncode == 2


def test_a_pth_file_is_told_and_runs_in_no_judge(bed: Bed) -> None:
    files = {"sly.pth": "import sys; sys.modules['coinswarm_testkit.gate.judging'] = None\n", "sly/agent.py": PEEKING}
    failed = judged(bed, files)
    assert "sly.pth, which every Python process runs at its start" in failed["P30"]


@pytest.mark.parametrize("group", ["pydantic", "numba_extensions"])
def test_what_a_library_would_load_is_told_and_runs_in_no_judge(bed: Bed, group: str) -> None:
    """A process that used numba or pydantic would import it: the judge does both."""
    files = {
        "sly/extension.py": (
            "import pathlib, sys\n"
            "if sys.flags.isolated:\n"
            "    pathlib.Path(__file__).with_name('was_here.txt').touch()\n"
            "def init(): pass\n"
            "init.new_schema_validator = lambda *args, **kwargs: (None, None, None)\n"
        ),
        "sly/agent.py": PEEKING,
    }
    bed.registered = f"[{group}]\ninit = sly.extension:init\n"
    failed = judged(bed, files)
    assert f"registers sly.extension:init with {group}" in failed["P30"]
    assert not (bed.site / "sly" / "was_here.txt").exists()


def test_a_module_that_a_library_asks_for_is_loaded_in_no_judge(bed: Bed) -> None:
    """Numba asks for yaml and scipy, anyio for sniffio, the standard library for Jython's org."""
    source = "import pathlib, sys\nif sys.flags.isolated:\n    pathlib.Path(__file__).with_suffix('.here').touch()\n"
    names = ("yaml.py", "scipy/__init__.py", "sniffio.py", "org/python/core.py")
    failed = judged(bed, {"sly/agent.py": PEEKING, **dict.fromkeys(names, source)})
    assert "A30" in failed
    assert not list(bed.site.rglob("*.here"))


POISON = """
import os, pathlib, pickle
class Poison:
    def __reduce__(self):
        mark = "pathlib.Path(f'{place}/judge_{{os.getpid()}}').touch()"
        return exec, (f"import os, pathlib, sys\\nif sys.flags.isolated: {{mark}}",)
planted = pathlib.Path("{place}/planted")
if not planted.exists():
    told = [os.environ[name] for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME") if name in os.environ]
    found = [path for folder in told for path in pathlib.Path(folder).rglob("*.nb[ic]")]
    for path in found:
        path.write_bytes(pickle.dumps(Poison()))
    planted.write_text(str(len(found)))
"""
"""Once, writes over all compiled code that it is told of; who loads that as the judge leaves a mark."""


def test_compiled_code_that_a_plugin_leaves_reaches_no_judge_and_no_user(bed: Bed, tmp_path: Path) -> None:
    """What numba keeps are pickles."""
    place, ours = tmp_path / "marks", tmp_path / "cache" / "coinswarm" / "numba" / cache_folder().name
    place.mkdir()
    shutil.copytree(cache_folder(), ours)
    bed.install({"sly/plugin.py": POISON.format(place=place) + HOOKS})
    variables = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "NUMBA_CACHE_DIR": str(ours)}
    bed.check("--tier", "bronze", **variables)
    assert int((place / "planted").read_text()) > 0, "else nothing was tried"
    code, verdict, _ = bed.check("--only", "A50", **variables)
    assert (code, bed.failed(verdict)) == (0, {})
    assert [path.name for path in place.iterdir()] == ["planted"]
    kept = [path.read_bytes() for path in ours.rglob("*.nb[ic]")]
    assert kept
    assert not [data for data in kept if str(place).encode() in data]


def test_a_file_among_the_testkits_own_is_told_before_anything_is_judged(bed: Bed) -> None:
    bed.bring_ours()
    bed.install({"coinswarm_testkit/gate/helper.py": "raise SystemExit(0)\n"})
    code, verdict, err = bed.check()
    assert (code, verdict) == (2, {})
    assert "coinswarm-testkit, which judges plugins, is not what was installed: helper.py in gate is importable" in err


@pytest.mark.parametrize("name", ["coinswarm_testkit/gate/__main__.py", "coinswarm/plugins/certificates.py"])
def test_a_judge_of_ones_own_is_told(bed: Bed, name: str) -> None:
    bed.bring_ours()
    bed.install({name: (bed.site / name).read_text() + "\n# and more\n"})
    code, verdict, err = bed.check()
    assert (code, verdict) == (2, {})
    assert f"{name} differs from what was installed" in err


def test_a_file_in_another_package_that_is_no_judge_fails(bed: Bed) -> None:
    (bed.site / "other").mkdir()
    (bed.site / "other" / "__init__.py").touch()
    info = bed.site / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "RECORD").write_text("other/__init__.py,,\nother-1.0.dist-info/METADATA,,\n")
    failed = judged(bed, {"other/more.py": "x = 1\n"}, "--tier", "bronze")
    assert "installs other/more.py into a package of other" in failed["P30"]


def test_files_that_change_while_they_are_judged_earn_nothing(bed: Bed) -> None:
    source = f"import pathlib; pathlib.Path(__file__).with_name('late.py').write_text('x = 1')\n{HEAD}"
    bed.install({"sly/agent.py": source + AGENT_HEAD + FLAT})
    code, verdict, _ = bed.check("--tier", "bronze")
    assert verdict["uncertifiable"] == "its files changed while it was judged"
    assert code in {0, 3}
    assert bed.certificates() == []
