"""What importing a plugin does beside declaring."""

from __future__ import annotations

import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.plugins.watching import BUDGET_SECONDS, Watched, watching

if TYPE_CHECKING:
    import pytest


def test_prints_are_kept_from_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with watching("fake_alpha.plugin") as seen:
        print("{not\njson", "x" * 100)  # noqa: T201 - what is tested
    assert capsys.readouterr().out == ""
    [warning] = [line for line in seen.warnings() if "prints" in line]
    assert "'{not json xxx" in warning
    assert "..." in warning
    assert "\n" not in warning


def test_heavy_packages_are_seen_even_when_somebody_else_imported_them_first(monkeypatch: pytest.MonkeyPatch) -> None:
    with watching("fake_alpha.plugin:thing") as seen:
        for name, held in (("fake_alpha.plugin", np), ("fake_alpha.more", np.ndarray), ("fake_beta", sys)):
            module = ModuleType(name)
            vars(module)["held"] = held
            monkeypatch.setitem(sys.modules, name, module)
    assert seen.heavy == {"numpy"}
    with watching("fake_gamma.plugin") as seen:
        monkeypatch.setitem(sys.modules, "pandas.fake", ModuleType("pandas.fake"))
    assert seen.heavy == {"pandas"}


def test_cpu_time_counts_and_waiting_does_not() -> None:
    with watching("fake_alpha.plugin") as seen:
        end = time.thread_time() + 2 * BUDGET_SECONDS
        while time.thread_time() < end:
            pass
    assert [line for line in seen.warnings() if line.startswith("slow import: ")]
    assert Watched(seconds=BUDGET_SECONDS).warnings() == ()
