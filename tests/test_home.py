"""A test run stands alone: what its user keeps changes no result, and it changes nothing of theirs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from coinswarm.config.home import home

pytestmark = pytest.mark.static


def test_a_run_of_tests_has_a_home_of_its_own() -> None:
    assert home().is_dir()
    assert home().parent == Path(tempfile.gettempdir())
    assert not home().is_relative_to(Path.home() / ".coinswarm")
