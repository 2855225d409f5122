"""The testkit's checks on the memory backend redis, against a real server."""

from __future__ import annotations

import pytest

from coinswarm_testkit import contract_tests

pytestmark = pytest.mark.usefixtures("redis_url")

test_contract = contract_tests("redis", kind="memory")
