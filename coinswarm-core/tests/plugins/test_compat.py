"""Which core a plugin was made for: read as the packaging library reads it, from metadata alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from coinswarm.plugins.compat import admits, at_least, requirement_on_core

numbers = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
versions = st.builds("{}{}".format, numbers, st.sampled_from(["", "", "", "rc1", ".post1", ".dev0"]))
clauses = st.one_of(
    st.builds("{}{}".format, st.sampled_from([">=", "<=", "==", "!=", "<", ">"]), numbers),
    st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), numbers),
    st.builds("~={}.{}".format, st.integers(0, 3), numbers),
)


@given(st.lists(clauses, max_size=3).map(",".join), versions)
def test_specifiers_mean_what_packaging_says(specifiers: str, version: str) -> None:
    assert admits(specifiers, version) is SpecifierSet(specifiers).contains(version, prereleases=True)


@pytest.mark.parametrize("specifiers", ["===1", ">=one", "about 1", ">=1 <2", "<=1.*", ">=", "@ file:///x"])
def test_what_cannot_be_read_is_not_judged(specifiers: str) -> None:
    assert admits(specifiers, "1.0") is None


def test_an_unreadable_version_is_not_judged() -> None:
    assert admits(">=1", "?") is None
    assert not at_least("?", "1")
    assert at_least("1.10", "1.9")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("coinswarm-core>=0.1,<1", ">=0.1,<1"),
        ("coinswarm-core (>=0.1,<1)", ">=0.1,<1"),
        ("Coinswarm_Core[parquet] >=0.1 ; python_version >= '3.11'", ">=0.1"),
        ("coinswarm-core", ""),
        ("coinswarm-core>=2; extra == 'new'", ""),
        ("coinswarm-core-tools>=3", ""),
        ("numpy>=2", ""),
        ("coinswarm-core @ file:///x", ""),
    ],
)
def test_the_requirement_on_core_is_found(line: str, found: str) -> None:
    assert requirement_on_core(["numpy>=2", line]) == found
