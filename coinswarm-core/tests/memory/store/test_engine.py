"""Where a store is: what messages call it, and addresses that are none."""

from __future__ import annotations

import pytest

from coinswarm.errors import OperatorError
from coinswarm.memory.store.engine import place


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://me:hunter2@host/db", "postgresql://me:***@host/db"),
        ("postgres://me:hunter%402@host/db", "postgresql://me:***@host/db"),
        ("postgresql://host/db?user=me&password=hunter2", "postgresql://host/db?user=me"),
        ("postgresql://host/db?sslpassword=hunter2&passfile=hunter2&sslmode=require&scram_client_key=hunter2",
         "postgresql://host/db?sslmode=require"),
        ("postgresql+psycopg://one,two/db", "postgresql://one,two/db"),
    ],
)  # fmt: skip
def test_its_name_holds_no_secret(url: str, name: str) -> None:
    assert place(url).name == name


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://me:hun@ter2@host/db", "the URL postgresql://… of the store has more than one @: write %40 for"),
        ("postgresql://me:hunter2@host:x/db", "the URL postgresql://… of the store cannot be read"),
    ],
)
def test_an_address_that_is_none_is_not_repeated(url: str, why: str) -> None:
    with pytest.raises(OperatorError, match=why) as caught:
        place(url)
    assert "ter2" not in str(caught.value)
