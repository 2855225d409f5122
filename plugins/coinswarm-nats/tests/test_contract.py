"""The testkit's checks on the bus nats, against a real server."""

from __future__ import annotations

import pytest

from coinswarm_testkit import contract_tests

pytestmark = pytest.mark.usefixtures("nats_url")

test_contract = contract_tests("nats", kind="bus")
