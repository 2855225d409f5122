"""Secret keys of seats: made once, for their owner alone, and never shown."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from coinswarm.errors import NotReadyError, OutputError
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.runtime.swarm import keyring

if TYPE_CHECKING:
    from pathlib import Path


def test_a_key_is_made_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "seats"
    made = keyring.create(folder, "v1")
    path = folder / "v1.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    again = keyring.read(folder, "v1")
    assert again.key == made.key
    assert Ed25519Scheme().verify(made.key, again.sign(b"x"), b"x")
    assert keyring.create(folder, "v2").key != made.key
    assert keyring.listed(folder) == [("v1", made.key, ""), ("v2", keyring.read(folder, "v2").key, "")]


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    keyring.create(tmp_path, "v1")
    before = (tmp_path / "v1.key").read_bytes()
    with pytest.raises(OutputError, match="v1 has a key already"):
        keyring.create(tmp_path, "v1")
    assert (tmp_path / "v1.key").read_bytes() == before


def test_what_others_may_read_is_no_secret(tmp_path: Path) -> None:
    keyring.create(tmp_path, "v1")
    (tmp_path / "v1.key").chmod(0o640)
    with pytest.raises(NotReadyError, match=r"may be read by others \(mode 0640\): run: chmod 600"):
        keyring.read(tmp_path, "v1")
    [(name, key, why)] = keyring.listed(tmp_path)
    assert (name, key) == ("v1", "")
    assert "may be read by others" in why


@pytest.mark.parametrize(
    "text", ["", "ed25519-seed:00", "00" * 32, "ed25519-seed:" + "zz" * 32, "ed25519:" + "00" * 32]
)
def test_what_is_no_key_is_told_without_showing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "v1.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(NotReadyError, match="holds no seat's key") as caught:
        keyring.read(tmp_path, "v1")
    assert not text or text not in str(caught.value)


def test_a_missing_key_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="coinswarm memory keys create v1"):
        keyring.read(tmp_path, "v1")
    assert keyring.listed(tmp_path / "nowhere") == []
