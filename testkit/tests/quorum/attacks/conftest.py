"""A quorum of real parts with real keys, on a bus that an attacker may tap.

Random faults are weak adversaries: each attack is a script of somebody with a plan.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from coinswarm.canonical import digest
from coinswarm.domain.acceptance import AcceptanceRules, DailyReturns, Evidence, Rule, Verdict, mandatory
from coinswarm.domain.proposal import (
    ROSTER_KEY,
    Claim,
    Configure,
    Proposal,
    ProposalKind,
    Reference,
    SetWeights,
    Weight,
)
from coinswarm.memory.quorum import messages as m
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.fold import genesis
from coinswarm.memory.quorum.inmemory import MemoryLog
from coinswarm.memory.quorum.log import decide, renew, take
from coinswarm.memory.quorum.records import Ballot, Envelope, Outcome
from coinswarm.memory.quorum.roster import ROSTER_SUBJECT
from coinswarm.memory.quorum.verify import verify
from coinswarm_testkit.quorum.node import CLUSTER, SHARD, Node
from coinswarm_testkit.quorum.scheme import SUBMITTER, cast

RETURNS = DailyReturns(
    agent="trend",
    source=Reference("returns/trend", digest("returns of trend")),
    first_day=20_000,
    returns_ppm=(900, -100) * 100,
)
"""What is committed. Nobody who votes looks anywhere else."""


def judge(proposal: Proposal) -> tuple[Verdict, Evidence]:
    """What every honest seat does: all mandatory rules, on numbers worked out from committed data."""
    cited = [one for one in proposal.evidence if one == RETURNS.source]
    evidence = Evidence(
        now_ns=0, version=proposal.base_version, rules=AcceptanceRules(), returns=(RETURNS,) if cited else ()
    )
    judged = dict.fromkeys(mandatory(proposal), "")
    if len(cited) != len(proposal.evidence):
        judged[Rule.EVIDENCE] = "what is cited is not what is committed"
    if isinstance(proposal.change, SetWeights):
        heaviest = max(weight.weight_bp for weight in proposal.change.weights)
        if heaviest > evidence.rules.max_weight_bp:
            judged[Rule.CAP] = f"one agent weighs {heaviest:,} bp"
        mean = sum(RETURNS.returns_ppm) / len(RETURNS.returns_ppm)
        if not cited or mean <= 0:
            judged[Rule.BETTER] = "nothing that is committed says so"
    return Verdict.of(judged), evidence


class Court:
    """Four voters, two coordinators, one submitter, one log, and a bus that a test may tap.

    :ivar tap: what becomes of a message: given sender and message, the messages that go out instead.
    :ivar censors: names of coordinators whose requests never reach the log.
    """

    SECOND = 1_000_000_000

    def __init__(self) -> None:
        self.cast = cast(4, 1, real=True)
        self.now = 1_000 * self.SECOND
        self.log = MemoryLog(CLUSTER, SHARD, self.cast.roster, lambda: self.now)
        self.voters = [Node("voter", place, self.cast, 1) for place in range(4)]
        self.leaders = [Node("coordinator", place, self.cast, 1) for place in range(2)]
        self.desk = Node("submitter", 0, self.cast, 1)
        self.nodes = [*self.voters, *self.leaders, self.desk]
        self.tap: Any = lambda _, message: [message]
        self.censors: set[str] = set()
        self.reports: list[Any] = []
        self.ended: dict[str, Outcome] = {}
        self.seals: list[Any] = []
        self.nonce = 0
        self.later(3)

    def envelope(self, proposal: Proposal, **fields: object) -> Envelope:
        """A proposal, signed by the submitter."""
        self.nonce += 1
        given: dict[str, Any] = {
            "cluster": CLUSTER, "shard": SHARD, "roster": len(self.log.rows.rosters) - 1, "submitter": SUBMITTER,
            "nonce": self.nonce, "deadline_ns": self.now + 20 * self.SECOND, "proposal": proposal,
        }  # fmt: skip
        return Envelope(**{**given, **fields}).signed(self.cast.submitter)

    def submit(self, envelope: Envelope) -> None:
        """Have the honest submitter propose."""
        self.tell(self.desk, m.Submit(envelope))

    def outcome(self, envelope: Envelope) -> Outcome | None:
        """How it ended."""
        found = self.log.rows.decisions.get(envelope.id)
        return found[0] if found else None

    def later(self, seconds: int) -> None:
        """Let time pass, with a tick each second."""
        for _ in range(seconds):
            self.now += self.SECOND
            for node in self.nodes:
                if node.up and not node.paused:
                    self.tell(node, m.Tick())

    def tell(self, node: Node, event: object) -> None:
        """Hand over an event, and everything that comes of it, until nothing does."""
        waiting = deque([(node, event)])
        while waiting:
            node, event = waiting.popleft()
            if not node.up:
                continue
            if node.paused:
                node.backlog.append(event)
                continue
            node.state, effects = node.step(node.state, event, self.now)
            for effect in effects:
                waiting.extend(self.carry(node, effect))

    def carry(  # noqa: C901, PLR0911 - one arm per effect
        self, node: Node, effect: object
    ) -> list[tuple[Node, object]]:
        """Carry out an effect; the events that come of it."""
        match effect:
            case m.Send(message):
                others = [one for one in self.nodes if one is not node]
                return [(one, said) for said in self.tap(node, message) for one in others]
            case m.Evaluate(envelope):
                verdict, evidence = judge(envelope.proposal)
                return [(node, m.Evaluated(envelope.id, verdict.accepts, findings(verdict, evidence)))]
            case m.Keep(message, seen):
                kept = node.disk.keep(message)
                node.disk.remember(seen)
                return [(node, m.Kept(kept))]
            case m.Remember(seen):
                node.disk.remember(seen)
            case m.ReadLog(token, after):
                return [(node, self.log.read(token, after, 100))]
            case m.Decide(requests):
                answers = () if node.name in self.censors else decide(self.log, requests, self.cast.scheme)
                return [(node, m.Answered(answers))]
            case m.TakeLease():
                return [(node, m.Leased(take(self.log, node.name)))]
            case m.RenewLease(epoch):
                return [(node, m.Leased(renew(self.log, node.name, epoch)))]
            case m.KeepSeal(seal):
                self.seals.append(seal)
            case m.Ended(envelope, outcome):
                self.ended[envelope.id] = outcome
            case m.Report(about):
                self.reports.append(about)
        return []

    def verified(self) -> str:
        """What verification finds wrong with the log."""
        rows = self.log.rows
        return verify(
            genesis(CLUSTER, SHARD, self.cast.roster), rows.entries, rows.head, self.cast.scheme, self.seals
        ).why

    @property
    def fair(self) -> Proposal:
        """Weights to which nobody objects."""
        return self.weights(5_000, 5_000)

    @staticmethod
    def weights(*shares: int, source: Reference = RETURNS.source, claim: int = 0) -> Proposal:
        """A proposal of weights."""
        change = SetWeights(
            weights=tuple(Weight(f"agent-{number}", share) for number, share in enumerate(shares)),
            rollback_drawdown_bp=500,
        )
        return Proposal(
            kind=ProposalKind.SET_WEIGHTS, subject="weights", base_version=0, change=change, evidence=(source,),
            claims=(Claim(what="sharpe-annual", value_ppm=claim),),
        )  # fmt: skip

    def roster_change(self, **changes: object) -> Proposal:
        """A proposal for the next roster."""
        now = self.log.rows.rosters[-1]
        text = replace(now, version=now.version + 1, **changes).text()  # type: ignore[arg-type]
        return Proposal(
            kind=ProposalKind.CONFIGURE,
            subject=ROSTER_SUBJECT,
            base_version=now.version,
            change=Configure(ROSTER_KEY, text),
        )

    def flipped(self, ballot: Ballot, signer: int) -> Ballot:
        """The other verdict, signed by a voter."""
        return replace(ballot, accepts=not ballot.accepts).signed(self.cast.voters[signer])


@pytest.fixture
def court() -> Court:
    """Nobody attacks it yet."""
    return Court()
