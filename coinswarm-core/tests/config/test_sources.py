"""Where values come from: TOML, overrides, and secrets that are referred to, never held."""

from __future__ import annotations

import sys
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from coinswarm.config.sources import Secret, apply_override, parse_override, parse_toml, read_toml, reveal_all
from coinswarm.errors import NotReadyError, ProfileError

if TYPE_CHECKING:
    from pathlib import Path


def test_numbers_with_a_point_are_exact() -> None:
    assert parse_toml("tick = 0.1", "x")["tick"] == Decimal("0.1")


@pytest.mark.parametrize(
    "text",
    ["a =", "a = 1\na = 2", "[a", "= 3", f"a = {'9' * 5_000}", "a = 1e9999999999999999999999", f"a = {'[' * 5_000}"],
    ids=range(7),
)
def test_broken_toml_is_one_line_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=r"p\.toml is not valid TOML \(.*\): correct") as caught:
        read_toml(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_text_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        read_toml(tmp_path)
    path = tmp_path / "p.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match="UTF-8"):
        read_toml(path)


def test_a_byte_order_mark_is_no_part_of_a_profile_or_secret(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(b"\xef\xbb\xbfseed = 3\r\n")
    path.chmod(0o600)
    assert read_toml(path) == {"seed": 3}
    assert Secret("file", str(path)).reveal() == "seed = 3"


@pytest.mark.parametrize(
    ("text", "parts", "value"),
    [
        ("risk.max_position_bp=3000", ("risk", "max_position_bp"), 3000),
        ("costs.taker_bps = 7.5", ("costs", "taker_bps"), Decimal("7.5")),
        ("committee.weigher=median", ("committee", "weigher"), "median"),
        ('committee.weigher="median"', ("committee", "weigher"), "median"),
        ('plugins=["a", "b"]', ("plugins",), ["a", "b"]),
        ("risk.require_stop=false", ("risk", "require_stop"), False),
        ("instruments.BTC/USD.file=a=b.csv", ("instruments", "BTC/USD", "file"), "a=b.csv"),
        ("x=", ("x",), ""),
    ],
)
def test_overrides_are_toml_or_else_text(text: str, parts: tuple[str, ...], value: object) -> None:
    assert parse_override(text) == (parts, value)


@pytest.mark.parametrize("text", ["", "a", "=3", "a..b=3", ".=1", "a=1\nb=2", "a=[1", 'a="x', "a={b=1"])
def test_what_is_no_override_is_refused(text: str) -> None:
    with pytest.raises(ProfileError, match="--set"):
        parse_override(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drivers.bus.settings.nkey_seed=S[hunter2", "--set drivers.bus.settings.nkey_seed: … is not a TOML value"),
        ("swarm.database=postgresql://u:hunter2'@h", "--set swarm.database: … is not a TOML value"),
        ("memory.settings..password=hunter2", "--set 'memory.settings..password=…' is not KEY=VALUE"),
        ("plugins=[trend", "--set plugins: '[trend' is not a TOML value"),
    ],
)
def test_a_misspelt_secret_is_not_shown(text: str, said: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_override(text)
    assert str(caught.value).startswith(said)
    assert "hunter2" not in str(caught.value)


def test_list_entries_answer_to_number_and_name() -> None:
    data = {"agents": [{"name": "trend", "id": "slow"}, {"name": "trend"}], "instruments": [{"symbol": "A/B"}]}
    assert apply_override(data, ("agents", "slow", "weight_bp"), 1) == ("agents", 0, "weight_bp")
    assert apply_override(data, ("agents", "trend", "weight_bp"), 2) == ("agents", 1, "weight_bp")
    assert apply_override(data, ("instruments", "A/B", "tick"), 3) == ("instruments", 0, "tick")
    assert apply_override(data, ("instruments", "0"), {}) == ("instruments", 0)
    assert apply_override(data, ("risk", "new"), 4) == ("risk", "new")
    assert data == {
        "agents": [{"name": "trend", "id": "slow", "weight_bp": 1}, {"name": "trend", "weight_bp": 2}],
        "instruments": [{}],
        "risk": {"new": 4},
    }


def test_an_override_into_nothing_is_refused() -> None:
    with pytest.raises(ProfileError, match="no entry 'trnd': did you mean 'trend'"):
        apply_override({"agents": [{"name": "trend"}]}, ("agents", "trnd", "x"), 1)
    with pytest.raises(ProfileError, match="no entry '7'"):
        apply_override({"agents": [{"name": "trend"}, 3]}, ("agents", "7", "x"), 1)
    with pytest.raises(ProfileError, match="'cash' is not a table"):
        apply_override({"cash": 3}, ("cash", "x"), 1)


def test_only_a_table_of_one_vault_is_a_secret() -> None:
    assert Secret.parse({"env": "KEY"}) == Secret("env", "KEY")
    for value in ("KEY", {"env": ""}, {"env": 3}, {"env": "A", "file": "B"}, {"vault": "A"}, None, {}):
        assert Secret.parse(value) is None
    assert Secret("file", "a").as_toml() == {"file": "a"}


def test_a_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret("env", "COINSWARM_TEST_SECRET")
    monkeypatch.delenv("COINSWARM_TEST_SECRET", raising=False)
    with pytest.raises(NotReadyError, match="not set: export COINSWARM_TEST_SECRET"):
        secret.reveal()
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "")
    with pytest.raises(NotReadyError, match="is empty"):
        secret.reveal()
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "s3cret")
    assert secret.reveal() == "s3cret"
    assert "s3cret" not in f"{secret} {secret!r}"


def test_a_secret_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret\n")
    secret = Secret("file", str(path))
    for mode in (0o644, 0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(NotReadyError, match=f"{mode:04o}.*chmod 600") as caught:
            secret.reveal()
        assert "s3cret" not in str(caught.value)
    path.chmod(0o600)
    assert secret.reveal() == "s3cret"


def test_a_secret_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="No such file"):
        Secret("file", str(tmp_path / "none")).reveal()
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(NotReadyError, match="not text"):
        Secret("file", str(path)).reveal()


def test_a_secret_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(NotReadyError, match="not installed: install keyring"):
        Secret("keyring", "venue/me").reveal()
    with pytest.raises(NotReadyError, match="service/user"):
        Secret("keyring", "venue").reveal()
    held = {("my/venue", "me"): "s3cret"}
    fake = SimpleNamespace(get_password=lambda service, user: held.get((service, user)))
    monkeypatch.setitem(sys.modules, "keyring", fake)
    assert Secret("keyring", "my/venue/me").reveal() == "s3cret"
    with pytest.raises(NotReadyError, match="keyring set venue me"):
        Secret("keyring", "venue/me").reveal()


def test_a_keyring_that_is_locked_or_has_no_place_to_look_in_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_service: str, _user: str) -> str:
        message = "Failed to unlock the collection!"
        raise OSError(message)

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=locked))
    with pytest.raises(NotReadyError, match=r"venue/me.*cannot be read \(OSError: Failed.*unlock the keyring"):
        Secret("keyring", "venue/me").reveal()


def test_the_end_of_a_line_is_no_part_of_a_secret_and_blanks_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret("env", "COINSWARM_TEST_SECRET")
    monkeypatch.setenv("COINSWARM_TEST_SECRET", " s3cret\r\n")
    assert secret.reveal() == " s3cret"
    monkeypatch.setenv("COINSWARM_TEST_SECRET", " \n")
    with pytest.raises(NotReadyError, match="is empty"):
        secret.reveal()


@pytest.mark.parametrize("path", ["~no_such_user_anywhere/key", "a\0b"])
def test_a_path_that_is_none_is_said(path: str) -> None:
    with pytest.raises(NotReadyError, match="names no file"):
        Secret("file", path).reveal()


def test_reveal_all_reaches_nested_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_TEST_SECRET", "s3cret")
    reference = {"env": "COINSWARM_TEST_SECRET"}
    settings = {"venue": "x", "key": reference, "auth": {"key": reference, "n": 1}}
    assert reveal_all(settings) == {"venue": "x", "key": "s3cret", "auth": {"key": "s3cret", "n": 1}}
    assert settings["key"] is reference
