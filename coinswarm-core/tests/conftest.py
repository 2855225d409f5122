"""Fake distributions: a folder on the path with a package and a dist-info is all that discovery needs."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.plugins.certificate import Certificate, CheckRow
from coinswarm.plugins.certificates import core_version, issue
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.trust import digest_of, files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coinswarm_testkit.markets.tiny import Leg, Outcome

HOOKS = """\
from coinswarm.declarations import AgentType, WeigherType
from coinswarm.hookspecs import hookimpl
"""

AGENT = (
    HOOKS
    + """
@hookimpl
def coinswarm_agents():
    yield AgentType(name="{name}", summary="Fake.", target="{package}.agent:Fake")
"""
)


class Site:
    """A folder on the import path into which fake distributions are written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages: set[str] = set()

    def add(
        self,
        name: str,
        source: str | None = None,
        *,
        distribution: str = "",
        version: str = "1.0",
        entry_points: str = "",
        editable: bool = False,
        requires: str = "coinswarm-core>=0.1,<1",
        record: bool = False,
    ) -> None:
        """Write a distribution with one plugin.

        :param name: of the plugin; its package is ``fake_<name>``.
        :param source: of its ``plugin.py``; a plugin with one agent of the same name if None.
        :param entry_points: the whole file, where it should not be the ordinary one.
        :param requires: its requirement; none if empty.
        :param record: also write the RECORD that an installer would.
        """
        distribution = distribution or f"fake-{name}"
        package = distribution.replace("-", "_")
        self.packages.add(package)
        root = self.folder / package
        root.mkdir()
        (root / "__init__.py").touch()
        code = AGENT.format(name=name, package=package) if source is None else HOOKS + dedent(source)
        (root / "plugin.py").write_text(code)
        (root / "agent.py").write_text("class Fake:\n    pass\n")
        info = self.folder / f"{package}-{version}.dist-info"
        info.mkdir()
        needs = f"Requires-Dist: {requires}\n" if requires else ""
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needs}")
        (info / "WHEEL").write_text("Wheel-Version: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points or f"[coinswarm.plugins]\n{name} = {package}.plugin\n")
        if editable:
            (info / "direct_url.json").write_text(json.dumps({"url": "file:///x", "dir_info": {"editable": True}}))
        if record:
            self.write_record(package, version)

    def write_record(self, package: str, version: str = "1.0") -> None:
        """Write the RECORD of a distribution: every file with its SHA-256."""
        info = self.folder / f"{package}-{version}.dist-info"
        lines = []
        for path in sorted([*(self.folder / package).rglob("*"), *info.rglob("*")]):
            if path.is_file() and path.name != "RECORD" and path.parent.name != "__pycache__":
                digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
                lines.append(f"{path.relative_to(self.folder).as_posix()},sha256={digest},{path.stat().st_size}\n")
        (info / "RECORD").write_text("".join([*lines, f"{info.name}/RECORD,,\n"]))


BROKEN = {
    "missing-import": "import no_such_module_anywhere",
    "asserting": "assert False, 'not today'",
    "exiting": "import sys; sys.exit(3)",
    "syntax": "def broken(:",
    "signature": """
        @hookimpl
        def coinswarm_agents(swarm): return []
    """,
    "unknown-hook": """
        @hookimpl
        def coinswarm_agentz(): return []
    """,
    "wrapper": """
        @hookimpl(wrapper=True)
        def coinswarm_agents():
            yield
            return []
    """,
    "raising": """
        @hookimpl
        def coinswarm_agents(): raise RuntimeError("no agents today")
    """,
    "no-hook": "x = 1",
    "not-a-list": """
        @hookimpl
        def coinswarm_agents(): return 7
    """,
    "forgetful": """
        @hookimpl
        def coinswarm_agents(): AgentType(name="forgetful", summary="Fake.", target="x.y:Z")
    """,
    "optional": """
        @hookimpl(optionalhook=True)
        def coinswarm_agentz(): return []
    """,
    "coroutine": """
        @hookimpl
        async def coinswarm_agents(): return []
    """,
    "wrong-type": """
        @hookimpl
        def coinswarm_agents(): yield "trend"
    """,
    "skipping": """
        class Skipped(BaseException): pass
        raise Skipped("not here")
    """,
    "bad-name": """
        @hookimpl
        def coinswarm_agents(): yield AgentType(name="Bad_Name", summary="Fake.", target="x.y:Z")
    """,
    "late": """
        @hookimpl
        def coinswarm_agents():
            yield AgentType(name="late", summary="Fake.", target="x.y:Z")
            raise SystemExit("half way")
    """,
}
"""Plugins that are each broken one way: name -> source of plugin.py."""

TWIN = """
@hookimpl
def coinswarm_agents():
    yield AgentType(name="sound", summary="Fake.", target="x.y:Z")
"""
WORKING = """
@hookimpl
def coinswarm_agents():
    yield AgentType(name="{name}", summary="Fake.", target="x.y:Z")
"""
BURNING = "import time\nend = time.thread_time() + 0.1\nwhile time.thread_time() < end: pass\n"


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what the person who runs it keeps."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("COINSWARM_STRICT_PLUGINS", raising=False)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty folder on the import path; what is imported from it is forgotten afterwards."""
    with on_the_path(tmp_path / "site", monkeypatch) as made:
        yield made


@contextmanager
def on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The same for a block."""
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    made = Site(folder)
    yield made
    for name in list(sys.modules):
        if name.partition(".")[0] in made.packages:
            del sys.modules[name]


@pytest.fixture
def broken_site(site: Site) -> Site:
    """A folder with every broken plugin, and a sound one named ``sound``."""
    return broken(site)


def broken(site: Site) -> Site:
    """Add them."""
    for name, source in BROKEN.items():
        site.add(name, source)
    site.add("sound")
    return site


@pytest.fixture
def bed(site: Site) -> Site:
    """A folder with every fault that a plugin can have, beside a sound one named ``sound``."""
    return with_every_fault(site)


@pytest.fixture(scope="module")
def bed_loaded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ``plugins list --load --json`` prints beside such a folder: it tries to load each, which takes long."""
    from coinswarm.cli import main  # noqa: PLC0415 - few tests need it

    place, printed = tmp_path_factory.mktemp("bed"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, on_the_path(place / "site", patch) as site, redirect_stdout(printed):
        patch.setenv("COINSWARM_HOME", str(place / "home"))
        patch.delenv("COINSWARM_STRICT_PLUGINS", raising=False)
        with_every_fault(site)
        assert main(["plugins", "list", "--load", "--json"]) == 0
    return printed.getvalue()


def with_every_fault(site: Site) -> Site:
    """Add one plugin for each, and the sound one."""
    broken(site)
    site.add("twin", TWIN)  # a name that another plugin declares
    site.add("double", distribution="fake-double-one")  # a name that two distributions claim
    site.add("double", distribution="fake-double-two")
    site.add("core", distribution="fake-core-thief")
    site.add("outdated", requires="coinswarm-core<0.1")
    site.add("undated", requires="")
    site.add("slow", BURNING + WORKING.format(name="slow"))
    site.add("heavy", "import numpy as np\n" + WORKING.format(name="heavy"))
    site.add("printing", "print('{not json')\n" + WORKING.format(name="printing"))
    site.add("unreadable", entry_points="[coinswarm.plugins]\nno equals sign here\n")
    site.add("garbled")
    (site.folder / "fake_garbled-1.0.dist-info" / "METADATA").write_bytes(b"Name: \xff\xfe\n")
    site.add("binary")
    (site.folder / "fake_binary-1.0.dist-info" / "entry_points.txt").write_bytes(
        b"[coinswarm.plugins]\nbinary = fake_binary.plugin\n# \xff\n"
    )
    site.add("target", entry_points="[coinswarm.plugins]\ntarget = not a module!\n")
    return site


@pytest.fixture(params=["kernel", "reference"])
def run(request: pytest.FixtureRequest) -> Callable[..., Outcome]:
    """Run legs, or one leg's rows and sayings, with the rules of ``tiny_plan``, through each engine.

    Hand-made markets; whatever comes of them, the audit must agree.
    """
    from coinswarm.engine.columns import run_columns  # noqa: PLC0415 - most tests run no engine
    from coinswarm.engine.steps import run_steps  # noqa: PLC0415
    from coinswarm_testkit.audit import audit  # noqa: PLC0415
    from coinswarm_testkit.markets.tiny import outcome, tiny_plan  # noqa: PLC0415

    engine = run_columns if request.param == "kernel" else run_steps

    def run(*legs: Leg, **rules: object) -> Outcome:
        plan = tiny_plan(*legs, **rules)  # type: ignore[arg-type]
        result = engine(plan)
        assert audit(plan, result).broken == []
        return outcome(plan, result)

    return run


def certificate_of(name: str, **more: Any) -> Certificate:  # noqa: ANN401 - fields of a certificate
    """A silver certificate of an installed plugin as it is on disk, for its agent of the same name."""
    record = next(record for record in discover() if record.name == name)
    files = files_of(record)
    fields: dict[str, Any] = {
        "kind": "agent", "name": name, "plugin": name, "distribution": record.distribution, "version": record.version,
        "digest": digest_of(files), "files": files, "made_with": {"coinswarm-core": core_version(), "python": "3.11"},
        "checks": (CheckRow(id="A30", title="t", category=3, tier="silver", outcome="passed", seconds=0.1),),
        "asked": "silver", "tier": "silver", "date": "2026-11-28T00:00:00.000Z",
    }  # fmt: skip
    return Certificate(**{**fields, **more})


@pytest.fixture
def certificate() -> Callable[..., Certificate]:
    """Makes a certificate of an installed plugin; nothing is kept."""
    return certificate_of


@pytest.fixture
def certify() -> Callable[..., Path]:
    """Issues a certificate as the gate does, signed with the key of ``$COINSWARM_HOME`` or of another home."""

    def issued(name: str, home: Path | None = None, **more: Any) -> Path:  # noqa: ANN401 - fields of a certificate
        return issue(home or Path(os.environ["COINSWARM_HOME"]), certificate_of(name, **more))

    return issued
