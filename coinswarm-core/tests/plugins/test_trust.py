"""Trust by digest: which changes break it, and which do not."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import marshal
import os
import py_compile
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.errors import NotReadyError
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.trust import _verified, distrust, is_entry, trust_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.plugins.records import PluginRecord

Site = Any


def found(name: str = "alpha") -> PluginRecord:
    return next(record for record in discover() if record.name == name)


@pytest.fixture
def trusted(site: Site) -> Site:
    site.add("alpha", record=True)
    return site


def info(site: Site) -> Path:
    return Path(site.folder) / "fake_alpha-1.0.dist-info"


def plugin(site: Site) -> Path:
    return Path(site.folder) / "fake_alpha" / "plugin.py"


def test_a_line_names_distribution_version_and_digest(trusted: Site) -> None:
    assert trusted.packages
    line = trust_line(found())
    assert is_entry(line)
    assert line.startswith("fake-alpha==1.0 sha256:")
    assert line == trust_line(found())
    assert distrust(found(), ["other==1 sha256:" + "0" * 64, line]) == ""
    assert not is_entry("fake-alpha==1.0")


def rewritten(site: Site) -> None:
    plugin(site).write_text(plugin(site).read_text() + "\n")


def rewritten_with_its_record(site: Site) -> None:
    rewritten(site)
    site.write_record("fake_alpha")


def removed(site: Site) -> None:
    plugin(site).unlink()


def another_module(site: Site) -> None:
    (plugin(site).parent / "extra.py").write_text("")


def a_module_deeper(site: Site) -> None:
    (plugin(site).parent / "deep" / "er").mkdir(parents=True)
    (plugin(site).parent / "deep" / "er" / "extra.py").write_text("")


def a_module_among_bytecode(site: Site) -> None:
    (plugin(site).parent / "__pycache__").mkdir(exist_ok=True)
    (plugin(site).parent / "__pycache__" / "extra.py").write_text("")


def an_extension_that_shadows(site: Site) -> None:
    (plugin(site).parent / "plugin.abi3.so").write_bytes(b"")


def a_package_that_is_shadowed(site: Site) -> None:
    (site.folder / "fake_alpha.py").write_text("")


def compiled_without_source(site: Site) -> None:
    (plugin(site).parent / "extra.pyc").write_bytes(b"")


def bytecode(site: Site, source: str, *, unchecked: bool = False) -> None:
    """Put bytecode of another source in the cache, as Python would take it for the plugin's."""
    cached = Path(importlib.util.cache_from_source(str(plugin(site))))
    cached.parent.mkdir(exist_ok=True)
    stat = plugin(site).stat()
    flags, stamp = (1, b"\0" * 8) if unchecked else (
        0, (int(stat.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little") + (stat.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    )  # fmt: skip
    code = compile(source, str(plugin(site)), "exec")
    cached.write_bytes(importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little") + stamp + marshal.dumps(code))


def other_bytecode(site: Site) -> None:
    bytecode(site, "stolen = 1")


def other_bytecode_that_is_never_checked(site: Site) -> None:
    bytecode(site, "stolen = 1", unchecked=True)


def damaged_bytecode(site: Site) -> None:
    bytecode(site, "x = 1")
    cached = Path(importlib.util.cache_from_source(str(plugin(site))))
    cached.write_bytes(cached.read_bytes()[:20])


def no_record(site: Site) -> None:
    (info(site) / "RECORD").unlink()


def no_hash(site: Site) -> None:
    text = (info(site) / "RECORD").read_text()
    (info(site) / "RECORD").write_text(text.replace("fake_alpha/plugin.py,sha256=", "fake_alpha/plugin.py,,,"))


def weak_hash(site: Site) -> None:
    text = (info(site) / "RECORD").read_text()
    (info(site) / "RECORD").write_text(text.replace("fake_alpha/plugin.py,sha256=", "fake_alpha/plugin.py,md5="))


def elsewhere_first(site: Site) -> None:
    first = site.folder.parent / "first"
    (first / "fake_alpha").mkdir(parents=True)
    (first / "fake_alpha" / "__init__.py").touch()
    sys.path.insert(0, str(first))


BREAKS: dict[Callable[[Site], None], str] = {
    rewritten: "plugin.py differs from what was installed",
    rewritten_with_its_record: "look at what changed, then coinswarm plugins trust alpha",
    removed: "plugin.py cannot be read",
    another_module: "extra.py in fake_alpha is importable, but RECORD does not list it",
    a_module_deeper: "extra.py in er is importable",
    a_module_among_bytecode: "extra.py in __pycache__ is importable",
    an_extension_that_shadows: "plugin.abi3.so in fake_alpha is importable",
    a_package_that_is_shadowed: "fake_alpha.py in site is importable",
    compiled_without_source: "extra.pyc in fake_alpha is importable",
    other_bytecode: "is not what plugin.py compiles to",
    other_bytecode_that_is_never_checked: "is not what plugin.py compiles to",
    damaged_bytecode: "cannot be compared with its source",
    no_record: "no RECORD",
    no_hash: "no hash for fake_alpha/plugin.py",
    weak_hash: "a md5 hash for fake_alpha/plugin.py, not sha256",
    elsewhere_first: "reaches ",
}


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: change.__name__)
def test_what_breaks_trust(trusted: Site, change: Callable[[Site], None], monkeypatch: pytest.MonkeyPatch) -> None:
    line = trust_line(found())
    monkeypatch.setattr(sys, "path", [*sys.path])
    change(trusted)
    importlib.invalidate_caches()
    reason = distrust(found(), [line])
    assert BREAKS[change] in reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    "name", ["fake_alpha/__pycache__/rule.py", "fake_alpha/__pycache__/rule.pyc", "fake_alpha/RECORD"]
)
def test_what_only_looks_like_the_installers_is_covered(trusted: Site, name: str) -> None:
    """A plugin can import or read it."""
    path, record = trusted.folder / name, info(trusted) / "RECORD"
    path.parent.mkdir(exist_ok=True)
    path.write_text("up = True")
    digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
    record.write_text(record.read_text() + f"{name},sha256={digest},\n")
    line = trust_line(found())
    path.write_text("up = False")
    assert f"{name} differs from what was installed" in distrust(found(), [line])


def test_what_does_not_break_trust(trusted: Site) -> None:
    line = trust_line(found())
    py_compile.compile(str(plugin(trusted)))
    (plugin(trusted).parent / "notes.txt").write_text("data is read, not imported")
    (info(trusted) / "INSTALLER").write_text("another\n")
    (info(trusted) / "direct_url.json").write_text('{"url": "file:///elsewhere"}')
    trusted.write_record("fake_alpha")
    text = (info(trusted) / "RECORD").read_text().replace("fake_alpha/notes.txt", "../notes.txt")
    (trusted.folder.parent / "notes.txt").write_text("data is read, not imported")
    (info(trusted) / "RECORD").write_text(text + "fake_alpha/__pycache__/plugin.cpython-311.pyc,,\n")
    assert trust_line(found()) == line


def test_stale_bytecode_is_no_concern(trusted: Site) -> None:
    line = trust_line(found())
    other_bytecode(trusted)
    stat = plugin(trusted).stat()
    os.utime(plugin(trusted), (stat.st_atime, stat.st_mtime + 100))
    assert trust_line(found()) == line


def test_an_editable_install_cannot_be_trusted(site: Site) -> None:
    site.add("alpha", editable=True, record=True)
    with pytest.raises(NotReadyError, match=r"cannot be trusted: .* editable install.*reinstall fake-alpha from a"):
        trust_line(found())


def test_who_is_trusted_by_nobody_is_told_how(trusted: Site) -> None:
    assert trusted.packages
    assert distrust(found(), ["nonsense"]) == "nobody trusts it: look at it, then coinswarm plugins trust alpha"


def test_a_real_wheel_can_be_trusted() -> None:
    """An installer's RECORD, with its bytecode and notes: pluggy stands for a plugin here."""
    files, problem = _verified(metadata.distribution("pluggy"), "pluggy:anything")
    assert problem == ""
    assert "pluggy/__init__.py" in files
