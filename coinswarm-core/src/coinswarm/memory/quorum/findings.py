"""The digest of what a voter worked out: which rules held, from which committed evidence; and back again."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.domain.acceptance import mandatory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coinswarm.domain.acceptance import Evidence, Rule, Verdict
    from coinswarm.domain.proposal import Proposal, Reference


def findings(verdict: Verdict, evidence: Evidence) -> str:
    """What a ballot signs of a verdict.

    Remarks are for people and may differ; the log's clock at which the evidence was read may differ too. Neither is
    in it, nor is any number that the submitter wrote.
    """
    return _digest(verdict.held, verdict.failed, evidence.version, evidence.sources)


def failures(proposal: Proposal, found: str) -> tuple[Rule, ...] | None:
    """Which rules a voter found to fail, from the digest that it signed; None where it cannot be told.

    There are few rules, and what a proposal cites is known: the digest of each combination is compared.

    :param found: of a ballot on the proposal.
    """
    rules = mandatory(proposal)
    sources = proposal.references
    for count in range(len(rules) + 1):
        for failed in combinations(rules, count):
            held = [rule for rule in rules if rule not in failed]
            if _digest(held, failed, proposal.base_version, sources) == found:
                return failed
    return None


def _digest(held: Sequence[Rule], failed: Sequence[Rule], version: int, sources: Iterable[Reference]) -> str:
    return digest({
        "schema": "coinswarm.findings/1",
        "held": list(held),
        "failed": list(failed),
        "version": version,
        "sources": sorted([[source.place, source.digest] for source in sources]),
    })  # fmt: skip
