"""An independent judge of runs: recomputes a result from its orders and fills, and names the rules it met.

Shares no code with the exchange: prices, fees, positions, equity and brackets are worked out again
from the tables, the bars and ``simulator/rules.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm_testkit.audit.desk import judge_decisions
from coinswarm_testkit.audit.fills import judge_fills
from coinswarm_testkit.audit.findings import Findings
from coinswarm_testkit.audit.orders import judge_orders
from coinswarm_testkit.audit.plan import note_plan
from coinswarm_testkit.audit.tables import Tables

if TYPE_CHECKING:
    from coinswarm.engine.plan import RunPlan
    from coinswarm.engine.result import RunResult

__all__ = ["Findings", "audit"]


def audit(plan: RunPlan, result: RunResult) -> Findings:
    """Judge one run.

    :returns: which rules it met, how often, and a line for everything that breaks one.
    """
    findings = Findings()
    tables = Tables.of(plan, result)
    note_plan(tables, findings)
    judge_fills(tables, findings)
    judge_orders(tables, findings)
    judge_decisions(tables, findings)
    return findings
