"""What an audit finds: rules met, and rules broken; and the list of all that can be met."""

from __future__ import annotations

from collections import Counter

from coinswarm.domain.order import EndReason, OrderKind, Refusal, TimeInForce

RULES = (
    "E1", "E2", "E3", "E4", "E5", "E6", "E7",
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10",
    "P1", "P2", "P3", "P4",
    "Q1", "Q2", "Q3", "Q4", "Q5",
    "B1", "B2", "B3", "B4",
    "T1", "T2",
    "D1", "D2", "D3", "D4", "D5", "D6",
)  # fmt: skip
"""Every numbered rule of ``simulator/rules.md``."""

CASES = (
    "E2 long pays", "E2 short receives", "E7 no volume", "E7 no bar",
    "F3 taker", "F3 maker", "F5 IOC", "F5 FOK killed", "F5 FOK filled",
    "F6 entry", "F6 protective", "F6 born in the bar", "F7 target", "F7 entry", "F7 touched only",
    "F9 at the trigger", "F9 as a limit", "F10 stopped at once", "F10 target at once", "F10 target withheld",
    "P2 clipped", "P3 maker", "P3 taker", "P4 fraction carried",
    "Q4 cut", "Q4 nothing", "Q5 dust bought again", "Q5 closed where shortable",
    "B3 sibling", "B3 closed", "B3 entry withdrawn", "T2 no volume", "T2 born inside", "T2 triggered",
    "D2 reversed", "D4 up", "D4 down", "D5 said", "D5 over", "D6 refused", "D6 exit passes",
)  # fmt: skip
"""The sides of a rule that each deserve to be met, beginning with the rule's number."""

FEATURES = (
    "short position", "several instruments", "funding", "hole", "warm-up", "start_ns", "third-party weigher",
    "rebalance", "trailing", "fee in base", "participation",
    "sizing calibrated", "sizing published", "sizing fraction", "sizing lots",
)  # fmt: skip
"""Parts of a plan that are no rule of the exchange."""

CODES = (
    *(f"refusal {code.name}" for code in Refusal if code),
    *(f"end {code.name}" for code in EndReason),
    *(f"kind {code.name}" for code in OrderKind),
    *(f"entry {code.name}" for code in TimeInForce),
)
"""Every refusal, end reason and order kind; every time in force of an entry."""

EVERYTHING = (*RULES, *CASES, *FEATURES, *CODES)


class Findings:
    """Counts of what was met, and lines on what was broken."""

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()
        self.broken: list[str] = []

    def meet(self, name: str, times: int = 1) -> None:
        """Something of ``EVERYTHING`` was met; a case counts for its rule too.

        :raises KeyError: for a name that is not on the list, which would never be asked for.
        """
        if name not in _KNOWN:
            raise KeyError(name)
        if times:
            self.met[name] += times
            if name in _CASES:
                self.met[name.partition(" ")[0]] += times

    def hold(self, rule: str, what: str, *, true: bool) -> None:
        """Record a broken rule unless it is true."""
        if not true:
            self.broken.append(f"{rule}: {what}")

    def add(self, other: Findings) -> None:
        """Take in the findings of another run."""
        self.met.update(other.met)
        self.broken.extend(other.broken)

    def missing(self) -> list[str]:
        """What was never met."""
        return [name for name in EVERYTHING if not self.met[name]]

    def table(self) -> list[str]:
        """Lines of a coverage table: how often each thing was met."""
        width = 26
        cells = [f"{name:<{width}}{self.met[name]:>8}" for name in EVERYTHING]
        rows = -(-len(cells) // 3)
        return ["   ".join(cells[row::rows]) for row in range(rows)]


_KNOWN = frozenset(EVERYTHING)
_CASES = frozenset(CASES)
