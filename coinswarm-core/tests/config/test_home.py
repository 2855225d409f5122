"""Where a user's data lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from coinswarm.config.home import home
from coinswarm.errors import NotReadyError


def test_the_variable_goes_before_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "kept"))
    assert home() == tmp_path / "kept"
    assert not home().exists()


@pytest.mark.parametrize("value", ["", None])
def test_without_it_the_home_folder_is_used(value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is None:
        monkeypatch.delenv("COINSWARM_HOME", raising=False)
    else:
        monkeypatch.setenv("COINSWARM_HOME", value)
    assert home() == tmp_path / ".coinswarm"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COINSWARM_HOME", "~/x")
    assert home() == Path(tmp_path / "x")


def test_without_any_home_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        message = "Could not determine home directory."
        raise RuntimeError(message)

    monkeypatch.delenv("COINSWARM_HOME", raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    with pytest.raises(NotReadyError, match="set COINSWARM_HOME to a folder"):
        home()
