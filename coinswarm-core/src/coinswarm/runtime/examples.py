"""A proposal of each kind as a person writes it, to begin with."""

from __future__ import annotations

from typing import Any

from coinswarm.domain.proposal import ProposalKind


def _episode(digit: str) -> dict[str, Any]:
    """An episode to remember.

    :param digit: of which its digests are made.
    """
    return {
        "space": "trend/moment.1",
        "dimension": 12,
        "episode": {
            "id": digit * 64, "agent": "trend", "instrument": "BTC/USD", "side": 1, "decided_ns": 1514764800000000000,
            "known_ns": 1514851200000000000, "result_ppm": 12000, "risk_ppm": 20000, "stopped": False,
            "regime": "", "quality_bp": 10000,
        },
        "vector_digest": digit * 64,
        "trade": {"place": "trade/" + digit * 64, "digest": digit * 64},
    }  # fmt: skip


EXAMPLES: dict[ProposalKind, dict[str, Any]] = {
    ProposalKind.ADD_EPISODE: {"change": _episode("0"), "evidence": ["trade/" + "0" * 64]},
    ProposalKind.ADD_EPISODES: {"change": {"episodes": [_episode("0"), _episode("1")]}},
    ProposalKind.UPDATE_PATTERN: {
        "change": {
            "pattern": "dip", "stage": "candidate", "hypothesis": "Dips in an uptrend are bought.", "variants": 4,
            "capital_bp": 0,
        },
    },
    ProposalKind.PROMOTE_PATTERN: {
        "change": {
            "pattern": "dip", "stage": "shadow", "hypothesis": "Dips in an uptrend are bought.", "variants": 4,
            "capital_bp": 0,
        },
        "evidence": ["trades/dip", "trials/dip/v1", "trials/dip/v2", "trials/dip/v3", "trials/dip/v4"],
    },
    ProposalKind.DEPRECATE_PATTERN: {
        "change": {
            "pattern": "dip", "stage": "deprecated", "hypothesis": "Dips in an uptrend are bought.", "variants": 4,
            "capital_bp": 0,
        },
        "evidence": ["trades/dip"],
    },
    ProposalKind.SET_WEIGHTS: {
        "change": {
            "weights": [{"agent": "trend", "weight_bp": 5000}, {"agent": "meanrev", "weight_bp": 5000}],
            "rollback_drawdown_bp": 300,
        },
        "evidence": ["returns/meanrev", "returns/trend"],
    },
    ProposalKind.ADMIT_AGENT: {
        "change": {"agent": "trend", "reason": "it holds silver"},
        "evidence": ["certificates/trend"],
    },
    ProposalKind.SUSPEND_AGENT: {"change": {"agent": "trend", "reason": "its feed is broken"}},
    ProposalKind.CONFIGURE: {"change": {"key": "acceptance.max-weight-bp", "value": "6000"}},
}  # fmt: skip
"""By kind; subject, versions and digests are left out where the store knows them."""
