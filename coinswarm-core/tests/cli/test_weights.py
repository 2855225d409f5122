"""``coinswarm weights``: what was decided, what differs, and what would come of a proposal."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.canonical import digest
from coinswarm.cli import main
from coinswarm.clock import DAY_NS, iso
from coinswarm.config.profile import parse_profile
from coinswarm.memory.evidence.gather import Gatherer
from coinswarm.memory.evidence.weighings import cited_returns, weighings
from coinswarm.memory.promotion.voters import DecimalVoter, IntegerVoter
from coinswarm.memory.promotion.weights import change_of_weights
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.keys import Ed25519Scheme
from coinswarm.memory.quorum.log import Request, decide, take
from coinswarm.memory.quorum.records import START, Ballot, Envelope, Outcome
from coinswarm.memory.quorum.roster import roster_from
from coinswarm.memory.store import opening
from coinswarm.memory.store.opening import open_store
from coinswarm.runtime import fallen
from coinswarm.runtime.swarm import keyring
from coinswarm.runtime.swarm.keyring import keys_folder
from coinswarm.runtime.weights import with_weights

if TYPE_CHECKING:
    from pathlib import Path

    from coinswarm.domain.proposal import Proposal
    from coinswarm.memory.store.opening import Store

FIRST_DAY = 20_000
DAYS = 60
SOUND = ["trend=3500", "meanrev=3500", "pairs=3000"]


class Swarm:
    """A quorum that was begun, whose voters judge what is handed in, with its log in a file."""

    def __init__(self, folder: Path) -> None:
        assert main(["memory", "init", "--cluster", "north"]) == 0
        roster = roster_from((folder / "north-main.roster.json").read_text().strip())
        self.now = (FIRST_DAY + DAYS) * DAY_NS + 1
        self.store: Store = open_store("north.sqlite", "north", "main", roster=roster, clock=lambda: self.now)
        self.nonce = 0
        take(self.store.log, "c1")

    def earns(self, agent: str, mean: int, first: int = FIRST_DAY, days: int = DAYS) -> None:
        wave = [mean + (3_000 if (day * 7 + len(agent)) % 5 < 2 else -2_000) for day in range(days)]
        self.store.facts.add_returns(f"returns/{agent}", first, wave)

    def decided(self, proposal: Proposal, submitter: str = "desk") -> tuple[Outcome | None, tuple[str, ...]]:
        """How it ends, and which rules failed."""
        self.nonce += 1
        envelope = Envelope(
            cluster="north", shard="main", roster=0, submitter=submitter, nonce=self.nonce,
            deadline_ns=self.now + 10**9, proposal=proposal,
        ).signed(keyring.read(keys_folder(), submitter))  # fmt: skip
        evidence = Gatherer(self.store)(envelope)
        assert evidence is not None
        ballots = []
        failed: tuple[str, ...] = ()
        for number, voter in enumerate((DecimalVoter(), IntegerVoter(), DecimalVoter()), 1):
            verdict = voter.evaluate(proposal, evidence)
            ballot = Ballot(
                cluster="north", shard="main", roster=0, proposal=envelope.id, accepts=verdict.accepts,
                findings=findings(verdict, evidence), voter=f"v{number}", seen=START,
            )  # fmt: skip
            ballots.append(ballot.signed(keyring.read(keys_folder(), f"v{number}")))
            failed = tuple(verdict.failed)
        [answer] = decide(self.store.log, [Request(envelope=envelope, proof=tuple(ballots), epoch=1)], Ed25519Scheme())
        return answer.outcome, failed

    def weigh(
        self, submitter: str = "desk", rollback: int = 300, **shares: int
    ) -> tuple[Outcome | None, tuple[str, ...]]:
        version, found = weighings(self.store)
        agents = {*shares, *(found[-1].weights if found else ())}
        cites, _ = cited_returns(self.store, agents if found else ())
        proposal = change_of_weights(shares, rollback, version=version, evidence=cites)
        return self.decided(proposal, submitter)


@pytest.fixture
def swarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Swarm:
    """Three certified agents; weights that the operator set 30 days ago."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    made = Swarm(tmp_path)
    for agent, mean in (("trend", -500), ("meanrev", 1_500), ("pairs", 500)):
        made.earns(agent, mean)
        made.store.facts.add_certificate(agent, digest(agent), "silver")
    made.now -= 30 * DAY_NS
    outcome, failed = made.weigh("operator", trend=4_000, meanrev=3_000, pairs=3_000)
    assert (outcome, failed) == (Outcome.ACCEPT, ())
    made.now += 30 * DAY_NS
    capsys.readouterr()
    return made


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["weights", *words]) == code
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
    return json.loads(said(capsys, *words, "--json", code=code))


HERE = ("--store", "north.sqlite")
PROFILE = ("--profile", "north-main.toml", "--check")


@pytest.mark.usefixtures("swarm")
def test_what_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "show", *HERE)
    assert "trend         4000" in text
    assert "In force since entry 1, " in text
    assert "as operator proposed" in text
    assert "taken back at a fall of 3 %" in text
    assert told(capsys, "show", *HERE)["weights"] == {"trend": 4_000, "meanrev": 3_000, "pairs": 3_000}


def test_history_and_differences(swarm: Swarm, capsys: pytest.CaptureFixture[str]) -> None:
    assert swarm.weigh(trend=3_500, meanrev=3_500, pairs=3_000) == (Outcome.ACCEPT, ())
    assert [row["entry"] for row in told(capsys, "history", *HERE)] == [1, 2]
    assert "meanrev 3500, pairs 3000, trend 3500" in said(capsys, "history", *HERE)
    for words in ((), ("1",), ("1", "2")):
        found = told(capsys, "diff", *words, *HERE)
        assert {row["agent"]: row["change_bp"] for row in found["agents"]} == {
            "meanrev": 500,
            "pairs": 0,
            "trend": -500,
        }
    assert {row["change_bp"] for row in told(capsys, "diff", "2", *HERE)["agents"]} == {0}
    assert said(capsys, "diff", *HERE).startswith("entry 1 to entry 2\nAGENT")


def test_before_anything_was_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    Swarm(tmp_path)
    capsys.readouterr()
    for command in ("show", "history", "diff"):
        assert "No weights were decided yet" in said(capsys, command, *HERE)
    assert told(capsys, "show", *HERE) is None
    assert told(capsys, "history", *HERE) == []
    assert "No weights were decided yet" in said(capsys, "rollback", "--if-due", *PROFILE)
    assert told(capsys, "rollback", "--if-due", *PROFILE) == {"due": None, "measured": ""}


def test_a_change_is_judged_before_it_is_proposed(swarm: Swarm, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "propose", *SOUND, *PROFILE)
    assert [(one["voter"], one["verdict"]) for one in found["verdicts"]] == [
        ("decimals", "ACCEPT"),
        ("integers", "ACCEPT"),
    ]
    assert {row["agent"]: row["after_bp"] for row in found["agents"]} == {
        "meanrev": 3_500,
        "pairs": 3_000,
        "trend": 3_500,
    }
    assert [one["place"] for one in found["content"]["evidence"]] == [
        "returns/meanrev",
        "returns/pairs",
        "returns/trend",
    ]
    assert (found["outcome"], swarm.store.log.read(0, 0, 0).head.index) == (None, 1)
    assert "decimals: all 9 rules hold" in said(capsys, "propose", *SOUND, *PROFILE)


def test_what_would_be_rejected_is_not_proposed(swarm: Swarm, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("propose", "trend=9000", "meanrev=999", "--profile", "north-main.toml")
    text = said(capsys, *words, code=1)
    assert "decimals: sum: weights sum to 9,999" in text
    assert "cap: trend above 5,000 bp" in text
    assert "It is not proposed" in text
    failed = [one["failed"] for one in told(capsys, *words, code=1)["verdicts"]]
    assert failed[0] == failed[1] == ["sum", "cap", "change", "better"]
    assert swarm.store.log.read(0, 0, 0).head.index == 1


def test_weights_go_back_at_once_when_they_fell_as_far_as_they_said(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    assert swarm.weigh(trend=3_500, meanrev=3_500, pairs=3_000, rollback=100) == (Outcome.ACCEPT, ())
    swarm.now += 3 * DAY_NS
    for agent in ("trend", "meanrev", "pairs"):
        swarm.store.facts.add_returns(f"returns/{agent}", FIRST_DAY + DAYS, [0, -9_000, 0])
    swarm.now += 3_600 * 10**9
    text = said(capsys, "rollback", *PROFILE, code=1)
    assert "better: " in text, "0.9 % is not 1 %"
    measured = iso((FIRST_DAY + DAYS + 2) * DAY_NS)[:10]
    assert f"Not due: up to {measured} the weights" in said(capsys, "rollback", "--if-due", *PROFILE)
    assert told(capsys, "rollback", "--if-due", *PROFILE) == {"due": False, "measured": measured}
    assert f"Measured up to {measured}." in said(capsys, "show", *HERE)
    assert told(capsys, "show", *HERE)["due"] is False
    assert "take them back" not in said(capsys, "show", *HERE)
    swarm.now += DAY_NS
    for agent in ("trend", "meanrev", "pairs"):
        swarm.store.facts.add_returns(f"returns/{agent}", FIRST_DAY + DAYS + 3, [-2_000])
    found = told(capsys, "rollback", "--if-due", *PROFILE)
    assert found["due"] is True
    assert told(capsys, "show", *HERE)["due"] is True
    assert "fallen as far as their proposal said: take them back with coinswarm weights" in said(capsys, "show", *HERE)
    session = parse_profile(
        {
            "mode": "backtest",
            "instruments": [{"symbol": "ETH/USD", "sample": "ETH/USD"}],
            "agents": [
                {"name": name, "weight_bp": bp} for name, bp in (("trend", 10_000), ("meanrev", 0), ("pairs", 0))
            ],
            "committee": {"store": "north.sqlite"},
        },
        "p",
    )
    for position, due in ((None, True), (2, False)):
        at = session.committee.model_copy(update={"position": position})
        weighed = with_weights(session.model_copy(update={"committee": at}), "p")[1]
        assert weighed is not None
        assert ("take them back with coinswarm weights rollback" in weighed.words()) is due
    assert {row["agent"]: row["change_bp"] for row in found["agents"]} == {"meanrev": -500, "pairs": 0, "trend": 500}
    outcome, failed = swarm.weigh(trend=4_000, meanrev=3_000, pairs=3_000)
    assert (outcome, failed) == (Outcome.ACCEPT, ())


def test_what_is_due_is_asked_and_taken_back_in_one_look(
    swarm: Swarm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert swarm.weigh(trend=3_500, meanrev=3_500, pairs=3_000, rollback=100) == (Outcome.ACCEPT, ())
    swarm.now += 4 * DAY_NS
    for agent in ("trend", "meanrev", "pairs"):
        swarm.store.facts.add_returns(f"returns/{agent}", FIRST_DAY + DAYS, [0, -9_000, -3_000, 0])
    swarm.now += 3_600 * 10**9
    opens: list[str] = []
    real, fall = opening.opened, fallen.fall_of

    def opened(*words: str) -> Any:  # noqa: ANN401 - a store
        opens.append(words[0])
        return real(*words)

    monkeypatch.setattr(opening, "opened", opened)
    assert told(capsys, "rollback", "--if-due", *PROFILE)["verdicts"][0]["verdict"] == "ACCEPT"
    assert len(opens) == 1

    def meanwhile(store: Store) -> fallen.Fall:
        """Another took them back between the question and the proposal."""
        found = fall(store)
        assert swarm.weigh(trend=4_000, meanrev=3_000, pairs=3_000) == (Outcome.ACCEPT, ())
        return found

    monkeypatch.setattr(fallen, "fall_of", meanwhile)
    judged = told(capsys, "rollback", "--if-due", *PROFILE, code=1)
    weights = judged["content"]["change"]["weights"]
    assert {"agent": "trend", "weight_bp": 4_000} in weights, "never those that fell"
    assert "base" in judged["verdicts"][0]["failed"]


def test_a_fall_that_nobody_measured_is_not_known(swarm: Swarm, capsys: pytest.CaptureFixture[str]) -> None:
    """A week of losses after the last day that was measured: to say that nothing is due would be a guess."""
    assert swarm.weigh(trend=3_500, meanrev=3_500, pairs=3_000) == (Outcome.ACCEPT, ())
    swarm.now += 7 * DAY_NS
    last = iso((FIRST_DAY + DAYS - 1) * DAY_NS)[:10]
    asked = said(capsys, "rollback", "--if-due", *PROFILE)
    assert f"Not known: no day since they came into force was measured (the last is {last})." in asked
    assert told(capsys, "rollback", "--if-due", *PROFILE) == {"due": None, "measured": last}
    assert told(capsys, "show", *HERE)["due"] is None
    text = said(capsys, "show", *HERE)
    assert "How far they fell is not known: coinswarm weights measure writes" in text
    assert f"Measured up to {last}." in text


@pytest.mark.usefixtures("swarm")
def test_the_first_weights_can_be_asked_about_every_day(capsys: pytest.CaptureFixture[str]) -> None:
    """There are none before them, which matters where they are to be taken back."""
    assert told(capsys, "rollback", "--if-due", *PROFILE)["due"] is False


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("propose", "trend", *PROFILE), "'trend' is no weight: write AGENT=BP, as in trend=6000"),
        (("propose", "trend=-1", *PROFILE), "'trend=-1' is no weight"),
        (("propose", "trend=1", "trend=2", *PROFILE), "trend is named twice: give each agent one weight"),
        (("propose", "Trend=1", *PROFILE), "agent of the weight is 'Trend'"),
        (("propose", "newcomer=500", "trend=9500", *PROFILE), "no returns of newcomer are in the store"),
        (("rollback", *PROFILE), "there are no weights before those in force: propose others"),
        (("diff", "9", "1", "--store", "nowhere.db"), "there is no store nowhere.db"),
        (("show",), "no store is named: give --store"),
    ],
)
@pytest.mark.usefixtures("swarm")
def test_what_cannot_be(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str) -> None:
    assert main(["weights", *words]) == 2
    captured = capsys.readouterr()
    assert why in captured.err
    assert captured.out == ""


@pytest.mark.integration
def test_what_agents_earn_is_measured_and_can_be_cited(
    swarm: Swarm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["timestamp_ms,open,high,low,close,volume"]
    for hour in range(24 * 15):
        price = 100 + 10 * math.sin(hour / 20)
        at = (FIRST_DAY * DAY_NS // 10**6) + hour * 3_600_000
        lines.append(f"{at},{price:.2f},{price + 1:.2f},{price - 1:.2f},{price:.2f},90.5")
    (tmp_path / "bars.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "session.toml").write_text(
        'mode = "backtest"\nplugins = ["trend"]\n'
        '[[instruments]]\nsymbol = "BTC/USD"\nfile = "bars.csv"\nlot = "0.0001"\n'
        '[[agents]]\nname = "trend"\nid = "newcomer"\nweight_bp = 10000\n'
    )
    words = ("measure", "session.toml", *HERE)
    [row] = told(capsys, *words)
    assert (row["agent"], row["days"], row["certificate"]) == ("newcomer", 15, "")
    assert "newcomer" in said(capsys, *words), "what is written already stays as it is"
    assert cited_returns(swarm.store, ["newcomer"])[1] == []
    failed = told(capsys, "propose", "newcomer=500", "trend=3500", "meanrev=3000", "pairs=3000", *PROFILE, code=1)
    assert "certified" in failed["verdicts"][0]["failed"]


def test_nobody_but_the_operator_sets_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    made = Swarm(tmp_path)
    for agent in ("trend", "meanrev"):
        made.store.facts.add_certificate(agent, digest(agent), "silver")
    capsys.readouterr()
    shares = ("propose", "trend=5000", "meanrev=5000", *PROFILE)
    assert told(capsys, *shares, code=1)["verdicts"][0]["failed"] == ["evidence", "change", "better"]
    assert told(capsys, *shares, "--set", "swarm.submitter.id=operator")["verdicts"][0]["failed"] == []
