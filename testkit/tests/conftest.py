"""Makes the subjects of these tests importable, here and in the processes that checks start."""

from __future__ import annotations

from pathlib import Path

import pytest

SUBJECTS = Path(__file__).parent / "subjects"


@pytest.fixture(autouse=True)
def subjects_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the folder of subjects first."""
    monkeypatch.syspath_prepend(SUBJECTS)
