"""Seats and settings: sound changes, some at a bound, and unsafe ones that each break a stated rule."""

from __future__ import annotations

from dataclasses import replace

from coinswarm.domain.acceptance import OPERATOR, Certificate, Evidence, Rule
from coinswarm.domain.limits import LIMITS
from coinswarm.domain.proposal import ROSTER_KEY, Configure, Proposal, ProposalKind, Reference, SeatAgent
from coinswarm_testkit.cases.case import BEGIN_NS, RULES, Case, digest

SILVER = Certificate(
    agent="newcomer", source=Reference("certificates/newcomer", digest("a certificate")), tier="silver"
)
KEY = "acceptance.max-weight-bp"


def admitting() -> Case:
    """An agent that holds what paper asks for."""
    proposal = Proposal(
        kind=ProposalKind.ADMIT_AGENT,
        subject="agent/newcomer",
        base_version=0,
        change=SeatAgent(agent="newcomer", certificate=SILVER.source.digest, reason="It earned silver."),
        evidence=(SILVER.source,),
    )
    evidence = Evidence(
        now_ns=BEGIN_NS,
        version=0,
        rules=RULES,
        certificates=(SILVER, replace(SILVER, agent="trend", source=Reference("certificates/trend", digest("t")))),
        seated=("trend", "meanrev"),
        submitter=OPERATOR,
    )
    return Case("an agent that holds silver, on paper", proposal, evidence)


def suspending() -> Case:
    """Anybody may have a seat emptied."""
    base = admitting()
    proposal = replace(base.proposal, kind=ProposalKind.SUSPEND_AGENT, evidence=())
    evidence = replace(base.evidence, seated=("trend", "newcomer"), submitter="planner", certificates=())
    return Case("an agent that has a seat is suspended", proposal, evidence)


def setting(key: str = KEY, value: str = "3000") -> Case:
    """A number that the operator sets."""
    proposal = Proposal(
        kind=ProposalKind.CONFIGURE,
        subject=key.replace(".", "/"),
        base_version=1,
        change=Configure(key, value),
    )
    evidence = Evidence(now_ns=BEGIN_NS, version=1, rules=RULES, submitter=OPERATOR)
    return Case(f"{key} is set to {value[:9]}", proposal, evidence)


def sound() -> list[Case]:
    """What a voter must accept."""
    admit = admitting()
    gold = replace(SILVER, tier="gold")
    least, most = LIMITS["max_weight_bp"]
    return [
        admit,
        admit.but("gold, live", known_certificates=(gold,), known_mode="live"),
        admit.but("bronze in a backtest", known_certificates=(replace(SILVER, tier="bronze"),), known_mode="backtest"),
        suspending(),
        setting(),
        setting(value=str(least)),
        setting(value=str(most)),
        setting(ROSTER_KEY, "whatever core makes of it"),
    ]


def unsafe() -> list[Case]:
    """What a voter must reject, and by which rules."""
    admit, suspend, most = admitting(), suspending(), LIMITS["max_weight_bp"][1]
    other = admit.evidence.certificates[1]
    return [
        admit.but("silver, live", Rule.CERTIFIED, known_mode="live"),
        admit.but("bronze, on paper", Rule.CERTIFIED, known_certificates=(replace(SILVER, tier="bronze"),)),
        admit.but("a certificate of another digest", Rule.CERTIFIED, certificate=digest("another")),
        admit.but(
            "another agent's certificate", Rule.CERTIFIED, cites=(other.source,), certificate=other.source.digest
        ),
        admit.but("no certificate is cited", Rule.EVIDENCE, Rule.CERTIFIED, cites=()),
        admit.but("seated already", Rule.SEAT, known_seated=("newcomer",)),
        admit.but("admitted by a planner", Rule.OPERATOR, known_submitter="planner"),
        admit.but("admitted by nobody known", Rule.OPERATOR, known_submitter=""),
        suspend.but("suspended from no seat", Rule.SEAT, known_seated=("trend",)),
        suspend.but("suspended under another name", Rule.BASE, subject="agent/trend"),
        setting("acceptance.nonsense", "1").but("a setting that there is none", Rule.KEY, Rule.VALUE),
        setting(value=str(most + 1)).but("beyond what can be set", Rule.VALUE),
        setting(value="3e3").but("set to what is no whole number", Rule.VALUE),
        setting("acceptance.pbo-blocks", "7").but("blocks that have no half", Rule.VALUE),
        setting().but("set by a planner", Rule.OPERATOR, known_submitter="planner"),
        setting().but("set from a version that is gone", Rule.BASE, base_version=0),
        setting().but("set about something else", Rule.BASE, subject="acceptance/spare"),
    ]
