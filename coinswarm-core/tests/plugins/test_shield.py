"""What is registered elsewhere neither stops a command nor runs in it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest

from coinswarm.plugins.discovery import discover
from coinswarm.plugins.records import Status
from coinswarm.plugins.shield import EXTENDING, shielded

Site = Any


def test_a_damaged_file_counts_as_empty_while_shielded(site: Site) -> None:
    site.add("alpha")
    site.add("beta", entry_points="[coinswarm.plugins]\nno equals sign here\n")
    before = metadata.Distribution.entry_points
    with shielded():
        assert "alpha" in {point.name for point in metadata.entry_points(group="coinswarm.plugins")}
        [broken] = [record for record in discover() if record.distribution == "fake-beta"]
        assert broken.status is Status.FAILED, "and is named all the same"
    assert metadata.Distribution.entry_points is before
    with pytest.raises((TypeError, ValueError)):
        list(metadata.distribution("fake-beta").entry_points)


@pytest.mark.parametrize("group", sorted(EXTENDING))
def test_extensions_of_libraries_are_told_to_nobody_while_shielded(site: Site, group: str) -> None:
    points = f"[coinswarm.plugins]\nalpha = fake_alpha.plugin\n[{group}]\ninit = fake_alpha.extension:init\n"
    site.add("alpha", entry_points=points)
    assert "fake_alpha.extension:init" in {point.value for point in metadata.entry_points(group=group)}
    with shielded():
        assert "fake_alpha.extension:init" not in {point.value for point in metadata.entry_points(group=group)}
        assert "alpha" in {point.name for point in metadata.entry_points(group="coinswarm.plugins")}


def test_no_command_imports_them(site: Site) -> None:
    """In a process of its own: each library looks once."""
    site.add("alpha", entry_points="".join(f"[{group}]\ninit = fake_alpha.ext:init\n" for group in EXTENDING))
    mark = site.folder / "was_here"
    extension = f"import pathlib\npathlib.Path({str(mark)!r}).touch()\ndef init(): pass\n"
    (site.folder / "fake_alpha" / "ext.py").write_text(extension)
    code = (
        "import sys\n"
        "from coinswarm.cli import main\n"
        "code = main(['demo', '--no-save', '--json'])\n"
        "assert {'numba', 'pydantic'} <= sys.modules.keys()\n"
        "sys.exit(code)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site.folder)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not mark.exists()
