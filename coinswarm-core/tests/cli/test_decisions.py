"""What a proposal asks for, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coinswarm.canonical import digest
from coinswarm.cli.decisions import asked, each, is_about, plain
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import (
    AddEpisode,
    AddEpisodes,
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
    several,
)

EPISODE = Episode(
    id=digest(1), agent="trend", instrument="BTC/USD", side=-1, decided_ns=1, known_ns=2, result_ppm=-12_345
)
REMEMBER = AddEpisode(
    space="state", dimension=2, episode=EPISODE, vector_digest=digest(2), trade=Reference("trade/x", digest(3))
)
OTHER = replace(REMEMBER, episode=replace(EPISODE, id=digest(4), side=1, result_ppm=20_000))
SEVERAL = several((REMEMBER, OTHER))
LINES = [
    f"{digest(1)[:12]}: trend went short in BTC/USD and made -1.23 %",
    f"{digest(4)[:12]}: trend went long in BTC/USD and made +2.00 %",
]
SEAT = SeatAgent(agent="trend", certificate=digest(1), reason="it lost too much")


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (ProposalKind.ADD_EPISODE, REMEMBER, "remember that trend went short in BTC/USD and made -1.23 %"),
        (
            ProposalKind.ADD_EPISODES,
            SEVERAL.change,
            "remember 2 episodes, all of them or none",
        ),
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
    several = isinstance(change, AddEpisodes)
    subject = SEVERAL.subject if several else "it"
    proposal = Proposal(kind=kind, subject=subject, base_version=0, change=change)
    assert asked(proposal) == words
    assert each(proposal) == (LINES if several else [])


def test_several_are_found_by_each_and_by_all() -> None:
    for subject in (f"episode/{EPISODE.id}", f"episode/{OTHER.episode.id[:5]}", SEVERAL.subject[:20], ""):
        assert is_about(SEVERAL, subject)
    assert not is_about(SEVERAL, f"episode/{digest(9)}")


def test_what_a_terminal_would_act_on_is_spelled() -> None:
    assert plain('Größe "日本"') == 'Größe "日本"'
    assert plain("a\x1b[2Kb\u202ec\r\x00") == r"a\x1b[2Kb\u202ec\r\x00"
