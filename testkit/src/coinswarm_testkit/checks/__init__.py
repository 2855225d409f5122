"""Every check, in the order in which it is run."""

from __future__ import annotations

from coinswarm_testkit.checks import (
    agents_answers,
    agents_evidence,
    agents_history,
    agents_memory,
    agents_sessions,
    brokers,
    buses,
    documents,
    embedders,
    execution,
    ingestors,
    ingestors_running,
    ingestors_trouble,
    memory,
    packaging,
    planners,
    risk,
    timeseries,
    voters,
    weighers,
)
from coinswarm_testkit.checks.check import EVERY_KIND, TIERS, Check, Tier
from coinswarm_testkit.verdicts import CheckFailedError, CheckSkipped

__all__ = ["CHECKS", "EVERY_KIND", "TIERS", "Check", "CheckFailedError", "CheckSkipped", "Tier"]

CHECKS: tuple[Check, ...] = (
    *packaging.CHECKS,
    *agents_history.CHECKS,
    *agents_answers.CHECKS,
    *agents_sessions.CHECKS,
    *agents_evidence.CHECKS,
    *agents_memory.CHECKS,
    *weighers.CHECKS,
    *risk.CHECKS,
    *execution.CHECKS,
    *memory.CHECKS,
    *voters.CHECKS,
    *planners.CHECKS,
    *sorted((*ingestors.CHECKS, *ingestors_running.CHECKS, *ingestors_trouble.CHECKS), key=lambda check: check.id),
    *brokers.CHECKS,
    *buses.CHECKS,
    *timeseries.CHECKS,
    *documents.CHECKS,
    *embedders.CHECKS,
)
