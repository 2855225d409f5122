"""The digest of what a voter worked out: which rules held, from which committed evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.canonical import digest

if TYPE_CHECKING:
    from coinswarm.domain.acceptance import Evidence, Verdict


def findings(verdict: Verdict, evidence: Evidence) -> str:
    """What a ballot signs of a verdict.

    Remarks are for people and may differ; the log's clock at which the evidence was read may differ too. Neither is
    in it, nor is any number that the submitter wrote.
    """
    return digest({
        "schema": "coinswarm.findings/1",
        "held": list(verdict.held),
        "failed": list(verdict.failed),
        "version": evidence.version,
        "sources": sorted([source.place, source.digest] for source in evidence.sources),
    })  # fmt: skip
