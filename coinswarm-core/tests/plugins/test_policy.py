"""What the operator decided: a file for people, replaced whole, refused when it is not understood."""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.errors import NotReadyError, OperatorError
from coinswarm.plugins.policy import FILE, Policy, as_toml, change_policy, read_policy

if TYPE_CHECKING:
    from pathlib import Path

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def disabling(name: str) -> Policy:
    return Policy(frozenset({name}))


def test_without_a_home_or_a_file_nothing_is_decided(tmp_path: Path) -> None:
    assert read_policy(None) == read_policy(tmp_path / "nowhere") == Policy()


@given(st.frozensets(text), st.dictionaries(text, text), st.dictionaries(text, text))
def test_the_file_says_what_was_decided(
    disabled: frozenset[str], blocked: dict[str, str], trusted: dict[str, str]
) -> None:
    policy = Policy(disabled, blocked, trusted)
    data = tomllib.loads(as_toml(policy))
    assert Policy(frozenset(data["disabled"]), data.get("blocked", {}), data.get("trusted", {})) == policy


def test_a_change_is_kept_and_reads_well(tmp_path: Path) -> None:
    change_policy(tmp_path, lambda policy: replace(policy, disabled=policy.disabled | {"b", "a"}))
    after = change_policy(tmp_path, lambda policy: replace(policy, blocked={"news": 'says "buy"'}))
    assert after == read_policy(tmp_path)
    lines = (tmp_path / FILE).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert lines[1:] == ['disabled = ["a", "b"]', "", "[blocked]", 'news = "says \\"buy\\""']


def test_a_change_that_changes_nothing_leaves_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('# mine\ndisabled = ["a"]\n')
    change_policy(tmp_path, lambda _: disabling("a"))
    assert (tmp_path / FILE).read_text().startswith("# mine")


def test_no_home_is_told_to_be_set() -> None:
    with pytest.raises(NotReadyError, match="set COINSWARM_HOME"):
        change_policy(None, lambda policy: policy)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"disabled = [", "not valid TOML"),
        (b"disabled = ['\xff']", "not valid TOML"),
        (b"disbled = []", "unknown key 'disbled': did you mean 'disabled'"),
        (b"disabled = 'a'", "disabled is 'a': write a list"),
        (b"disabled = [1]", "disabled is"),
        (b"blocked = ['a']", r"blocked is .*write a table \[blocked\]"),
        (b"[trusted]\na = 1", "trusted is"),
    ],
)
def test_what_is_not_understood_forbids_everything(tmp_path: Path, written: bytes, said: str) -> None:
    (tmp_path / FILE).write_bytes(written)
    with pytest.raises(OperatorError, match=said) as caught:
        read_policy(tmp_path)
    assert FILE in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(OperatorError):
        change_policy(tmp_path, lambda _: Policy())
    assert (tmp_path / FILE).read_bytes() == written


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_policy(tmp_path, lambda _: disabling("a"))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("coinswarm.writing.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        change_policy(tmp_path, lambda _: disabling("b"))
    monkeypatch.undo()
    assert read_policy(tmp_path) == disabling("a")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".{FILE}.lock", FILE]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs two processes that share nothing but the file")
def test_two_processes_lose_no_decision(tmp_path: Path) -> None:
    children = []
    for number in range(6):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                change_policy(tmp_path, lambda p, n=number: replace(p, disabled=p.disabled | {f"p{n}"}))  # type: ignore[misc]
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 6
    assert read_policy(tmp_path).disabled == {f"p{number}" for number in range(6)}
