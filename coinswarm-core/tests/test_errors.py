"""The error tree: who must act, exit codes, messages in one line, the nearest name."""

from __future__ import annotations

import pytest

import coinswarm.errors as tree
from coinswarm.errors import CoinswarmError, OperatorError, PluginError, RetryableError, nearest, one_line

CLASSES = [c for c in vars(tree).values() if isinstance(c, type) and issubclass(c, CoinswarmError)]


def drawn() -> dict[str, int]:
    """Class -> exit code as the drawing at the module's top has them; children inherit their parent's."""
    codes: dict[str, int] = {}
    code = 1
    for line in (tree.__doc__ or "").splitlines():
        words = line.split()
        if words[:1] == ["CoinswarmError"]:
            codes["CoinswarmError"] = 1
        elif words[:1] == ["+"]:
            code = int(line.rsplit("exit", 1)[1])
            codes[words[1]] = code
        elif words[:1] == ["-"]:
            codes[words[1]] = code
    return codes


def test_the_drawing_shows_every_class_with_its_exit_code() -> None:
    assert drawn() == {c.__name__: c.exit_code for c in CLASSES}


def test_the_branches_are_who_must_act() -> None:
    names = {
        branch: {c.__name__ for c in CLASSES if issubclass(c, branch) and c is not branch}
        for branch in (OperatorError, PluginError, RetryableError)
    }
    assert names[OperatorError] == {"DataError", "ProfileError", "UnknownNameError", "OutputError", "NotReadyError"}
    assert names[PluginError] == {"DeclarationError", "ContractError", "LoadError", "PayloadError"}
    assert names[RetryableError] == {"UnreachableError", "AmbiguousError", "RateLimitedError"}


@pytest.mark.parametrize("kind", CLASSES)
def test_a_message_is_the_fault_and_the_remedy(kind: type[CoinswarmError]) -> None:
    error = kind("cash is 0", remedy="raise it")
    assert str(error) == "cash is 0: raise it"
    assert (error.message, error.remedy) == ("cash is 0", "raise it")
    assert str(kind("cash is 0")) == "cash is 0"


class WordlessError(Exception):
    """One whose text cannot be had, as where it takes an argument that nobody gave."""

    def __str__(self) -> str:
        return f"at {self.args[0]}"


def test_an_exception_is_one_line_whatever_it_does() -> None:
    assert one_line(KeyError("a\nb")) == "KeyError: 'a\\nb'"
    assert one_line(ValueError("a\n  b")) == "ValueError: a b"
    assert one_line(WordlessError()) == "WordlessError"
    assert one_line(OSError("\udcff")) == "OSError: \\udcff"


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("tren", ["meanrev", "trend"], "did you mean 'trend'?"),
        ("xyz", ["meanrev", "trend"], "known: meanrev, trend"),
        ("xyz", ["b", "a", "b"], "known: a, b"),
        ("xyz", [], "none are known"),
    ],
)
def test_the_nearest_name_or_all(name: str, known: list[str], said: str) -> None:
    assert nearest(name, iter(known)) == said
