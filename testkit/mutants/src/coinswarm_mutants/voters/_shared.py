"""What the mutants of this folder have in common."""

from __future__ import annotations

from coinswarm.domain.acceptance import Rule, Verdict


def without(verdict: Verdict, *rules: Rule) -> Verdict:
    """The verdict as if these had held."""
    said = dict.fromkeys(verdict.held, "")
    said |= {rule: "" if rule in rules else why(verdict, rule) for rule in verdict.failed}
    return Verdict.of(said)


def why(verdict: Verdict, rule: Rule) -> str:
    """Why a rule failed."""
    return next(remark for remark in verdict.remarks if remark.startswith(rule)).removeprefix(f"{rule}: ")
