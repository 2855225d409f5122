"""Every check, in the order in which it is run."""

from __future__ import annotations

from coinswarm_testkit.checks import agents, packaging
from coinswarm_testkit.checks.check import Check, CheckFailedError, CheckSkipped

__all__ = ["CHECKS", "Check", "CheckFailedError", "CheckSkipped"]

CHECKS = (
    Check("P20", "importing the plugin loads nothing heavy", 0, packaging.light_import),
    Check("P40", "unknown settings are refused", 0, packaging.unknown_settings_refused),
    Check("A10", "two processes, one stream, identical actions", 1, agents.replay_determinism),
    Check("A20", "snapshot and restore continue identically", 1, agents.snapshot_continues),
    Check("A25", "decide equals decide_all at every bar", 1, agents.decide_equals_columns),
    Check("A30", "no look-ahead: truncation at every bar", 3, agents.truncation),
    Check("A32", "no look-ahead: a changed future leaves the past alone", 3, agents.shuffled_future),
    Check("A40", "the declared warm-up suffices", 2, agents.warm_up_suffices),
    Check("A45", "finite answers on ordinary and hard markets", 7, agents.finite_everywhere),
    Check("A47", "bars are not changed", 7, agents.input_not_mutated),
)
