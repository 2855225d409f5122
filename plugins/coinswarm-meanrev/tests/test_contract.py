"""The testkit's checks on the meanrev agent."""

from __future__ import annotations

from coinswarm_testkit import contract_tests

test_contract = contract_tests("meanrev")
