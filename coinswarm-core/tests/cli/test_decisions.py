"""What a proposal asks for, in words."""

from __future__ import annotations

import pytest

from coinswarm.canonical import digest
from coinswarm.cli.decisions import asked
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    AddEpisode,
    Change,
    Configure,
    MovePattern,
    Proposal,
    ProposalKind,
    Reference,
    SeatAgent,
    SetWeights,
    Stage,
    Weight,
)

EPISODE = Episode(
    id=digest(1), agent="trend", instrument="BTC/USD", side=-1, decided_ns=1, known_ns=2, result_ppm=-12_345
)
REMEMBER = AddEpisode(
    space="state", dimension=2, episode=EPISODE, vector_digest=digest(2), trade=Reference("trade/x", digest(3))
)
SEAT = SeatAgent(agent="trend", certificate=digest(1), reason="it lost too much")


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (ProposalKind.ADD_EPISODE, REMEMBER, "remember that trend went short in BTC/USD and made -1.23 %"),
        (
            ProposalKind.PROMOTE_PATTERN,
            MovePattern(pattern="gap", stage=Stage.SHADOW, hypothesis="gaps close", variants=1, registered_ns=0),
            "make gap a pattern of stage shadow (gaps close)",
        ),
        (
            ProposalKind.SET_WEIGHTS,
            SetWeights(weights=(Weight("trend", 6_250), Weight("meanrev", 3_750)), rollback_drawdown_bp=500),
            "weigh trend 62.5 %, meanrev 37.5 %; taken back at a drawdown of 5 %",
        ),
        (ProposalKind.ADMIT_AGENT, SEAT, "admit trend: it lost too much"),
        (ProposalKind.SUSPEND_AGENT, SEAT, "suspend trend: it lost too much"),
        (ProposalKind.CONFIGURE, Configure("acceptance.cap", "7"), "set acceptance.cap to 7"),
        (ProposalKind.CONFIGURE, Configure("roster", "x" * 90), f"set roster to {'x' * 80} …"),
    ],
)
def test_what_is_asked_for_is_told_in_words(kind: ProposalKind, change: Change, words: str) -> None:
    assert asked(Proposal(kind=kind, subject="it", base_version=0, change=change)) == words
