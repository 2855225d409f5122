"""What a wheel holds, what is pinned, and what must never be written into a file of this repository."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from email import message_from_string
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from email.message import Message

pytestmark = pytest.mark.static

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted((ROOT / "plugins").glob("coinswarm-*"))
PACKAGES = [ROOT / "coinswarm-core", *PLUGINS, ROOT / "testkit", ROOT / "testkit" / "mutants"]
PYTHONS = ("3.11", "3.12", "3.13")

each_package = pytest.mark.parametrize("folder", PACKAGES, ids=lambda path: path.name)


def project(folder: Path) -> dict[str, Any]:
    """A package's ``[project]`` table."""
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ZipFile]:
    """Package folder's name -> its wheel, built here without isolation."""
    built = {}
    for folder in PACKAGES:
        target = tmp_path_factory.mktemp(folder.name)
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        built[folder.name] = ZipFile(next(target.glob("*.whl")))
    return built


def metadata(wheel: ZipFile) -> Message:
    """The METADATA of a wheel."""
    name = next(name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
    return message_from_string(wheel.read(name).decode())


@each_package
def test_a_wheel_holds_its_sources_its_licence_and_nothing_else(folder: Path, wheels: dict[str, ZipFile]) -> None:
    names = set(wheels[folder.name].namelist())
    source = folder / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = next(name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)).removesuffix("METADATA")
    standard = {f"{info}{name}" for name in ("METADATA", "RECORD", "WHEEL", "licenses/LICENSE")}
    if project(folder).get("entry-points"):
        standard.add(f"{info}entry_points.txt")
    assert names == expected | standard
    assert any(name.endswith("/py.typed") for name in names)


@each_package
def test_a_wheel_says_what_it_is(folder: Path, wheels: dict[str, ZipFile]) -> None:
    about = metadata(wheels[folder.name])
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    assert about["Description-Content-Type"] == "text/markdown"
    assert about["Summary"]


@each_package
def test_entry_points_name_modules_of_the_wheel(folder: Path, wheels: dict[str, ZipFile]) -> None:
    table = project(folder)
    targets = [target for group in table.get("entry-points", {}).values() for target in group.values()]
    targets += table.get("scripts", {}).values()
    names = wheels[folder.name].namelist()
    for target in targets:
        module = target.split(":")[0].replace(".", "/")
        assert {f"{module}.py", f"{module}/__init__.py"} & set(names), target


def test_packages_accept_the_versions_of_one_another(wheels: dict[str, ZipFile]) -> None:
    versions = {canonicalize_name(metadata(wheel)["Name"]): metadata(wheel)["Version"] for wheel in wheels.values()}
    need_core = set()
    for folder in PACKAGES:
        for line in project(folder)["dependencies"]:
            wanted = Requirement(line)
            if canonicalize_name(wanted.name) in versions:
                assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), f"{folder.name}: {line}"
                need_core |= {folder} if wanted.name == "coinswarm-core" else set()
    assert need_core == set(PACKAGES[1:])


@each_package
def test_every_package_has_the_licence_of_the_root(folder: Path) -> None:
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@each_package
def test_a_package_declares_what_it_imports(folder: Path) -> None:
    table = project(folder)
    extras = table.get("optional-dependencies", {}).values()
    lines = [*table["dependencies"], *(line for part in extras for line in part)]
    declared = {canonicalize_name(Requirement(line).name) for line in lines} | {canonicalize_name(table["name"])}
    homes = packages_distributions()
    found = set()
    for path in sorted((folder / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            modules = [name.replace("pydantic_core", "pydantic") for name in modules]  # pydantic's own, pinned by it
            found |= {(module.split(".", maxsplit=1)[0], path.relative_to(folder).as_posix()) for module in modules}
    wrong = [
        f"{path}: {top}"
        for top, path in sorted(found)
        if top not in sys.stdlib_module_names and not declared & {canonicalize_name(one) for one in homes.get(top, [])}
    ]
    assert wrong == []


def pins(name: str) -> list[Requirement]:
    """The requirements of a constraints file."""
    text = (ROOT / "constraints" / name).read_text(encoding="utf-8")
    lines = [line.split("--hash")[0].rstrip(" \\") for line in text.splitlines() if re.match(r"[\w.-]+==", line)]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "bench.txt"])
def test_constraints_pin_and_hash_each_package(name: str) -> None:
    text = (ROOT / "constraints" / name).read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[\w.-]+==)", text)[1:]:
        assert block.count("--hash=sha256:") >= 1, block.splitlines()[0]
    assert re.findall(r"^(?![\w.-]+==|    --hash=sha256:[0-9a-f]{64}|#).+", text, re.MULTILINE) == []


@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize(
    ("name", "inputs"),
    [("run.txt", ["build.in"]), ("dev.txt", ["build.in", "dev.in"]), ("bench.txt", ["build.in", "bench.in"])],
)
def test_constraints_meet_what_is_asked_for(name: str, inputs: list[str], version: str) -> None:
    target = {"python_version": version, "python_full_version": f"{version}.1", "sys_platform": "linux"}
    found = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pins(name)
        if pin.marker is None or pin.marker.evaluate(target)
    }
    lines = [line for file in inputs for line in (ROOT / "constraints" / file).read_text(encoding="utf-8").splitlines()]
    for folder in PACKAGES:
        if folder.name != "testkit" or name != "run.txt":
            lines += project(folder)["dependencies"]
        if name == "dev.txt":
            lines += [line for group in project(folder).get("optional-dependencies", {}).values() for line in group]
    own = {canonicalize_name(project(folder)["name"]) for folder in PACKAGES}
    wanted = [Requirement(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]
    unmet = [
        str(one)
        for one in wanted
        if canonicalize_name(one.name) not in own
        and not one.specifier.contains(found.get(canonicalize_name(one.name), "0"), prereleases=True)
    ]
    assert unmet == [], f"run ./dev lock: constraints/{name} lacks {unmet}"


def written() -> list[Path]:
    """Every file that git knows or would take, less binary ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git here, or no git repository: it knows which files are ours")
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()]


def test_no_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    # Spelt in parts, so that this file does not name them either.
    hosts = ("py" + "pi.org", "pythonhosted" + ".org", "npm" + "js.org", "index" + "-url", "find" + "-links")
    folders = ("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/opt" + "/")
    pattern = re.compile("|".join([*hosts, *(rf"(?<![\w.~}}]){folder}" for folder in folders)]))
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in written()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert wrong == []


def test_links_between_documents_lead_somewhere() -> None:
    wrong = []
    for path in written():
        if path.suffix != ".md":
            continue
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" not in target and not target.startswith(("#", "mailto:")):
                place = (path.parent / target.split("#")[0]).resolve()
                if not place.exists():
                    wrong.append(f"{path.relative_to(ROOT)}: {target}")
    assert wrong == []
