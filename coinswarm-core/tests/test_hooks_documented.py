"""docs/hooks.md says of every hook what the code says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from coinswarm import declarations, hookspecs
from coinswarm.plugins.catalogue import DECLARING
from coinswarm.plugins.manager import hook_arguments

pytestmark = pytest.mark.static

DOCS = Path(__file__).parents[2] / "docs" / "hooks.md"
HEADING = re.compile(r"^### `(?P<name>\w+)\((?P<arguments>[^)]*)\)`(?P<provisional> \*provisional\*)?$", re.MULTILINE)


@pytest.fixture(scope="module")
def sections() -> dict[str, tuple[tuple[str, ...], bool, str]]:
    """Hook -> (arguments, whether provisional, text), as documented."""
    text = DOCS.read_text(encoding="utf-8")
    found = list(HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {
        match["name"]: (
            tuple(part.strip() for part in match["arguments"].split(",") if part.strip()),
            bool(match["provisional"]),
            text[match.end() : end],
        )
        for match, end in zip(found, ends, strict=True)
    }


def test_every_hook_is_documented_with_its_arguments(sections: dict[str, tuple[tuple[str, ...], bool, str]]) -> None:
    assert {name: arguments for name, (arguments, _, _) in sections.items()} == dict(hook_arguments())


def test_provisional_hooks_are_marked(sections: dict[str, tuple[tuple[str, ...], bool, str]]) -> None:
    assert {name for name, (_, provisional, _) in sections.items() if provisional} == hookspecs.PROVISIONAL
    for name in hook_arguments():
        doc = inspect.getdoc(getattr(hookspecs, name)) or ""
        assert ("*Provisional" in doc) == (name in hookspecs.PROVISIONAL), name


def test_every_hook_has_a_runnable_example() -> None:
    for name in hook_arguments():
        doc = inspect.getdoc(getattr(hookspecs, name)) or ""
        example = inspect.cleandoc(doc.partition("::\n")[2])
        space = {"hookimpl": hookspecs.hookimpl, **vars(declarations)}
        exec(compile(example, name, "exec"), space)  # noqa: S102 - our own docstring
        assert list(inspect.signature(space[name]).parameters) == list(hook_arguments()[name])


def test_every_declaring_hook_names_what_it_returns(
    sections: dict[str, tuple[tuple[str, ...], bool, str]],
) -> None:
    declaring = {hook: kind for _, hook, kind in DECLARING}
    assert set(declaring) == {name for name, arguments in hook_arguments().items() if _returns_something(name)}
    for hook, kind in declaring.items():
        text = sections[hook][2]
        assert f"`{kind.__name__}`" in text
        missing = [field for field in kind.__dataclass_fields__ if f"`{field}`" not in text and field not in COMMON]
        assert not missing, f"{hook}: {missing}"


COMMON = set(declarations.Declaration.__dataclass_fields__)


def test_the_common_fields_and_the_version_are_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert all(f"`{field}`" in text for field in COMMON)
    assert f"`API_VERSION` is {hookspecs.API_VERSION}" in text


def _returns_something(name: str) -> bool:
    return bool(getattr(hookspecs, name).__annotations__["return"] != "None")
