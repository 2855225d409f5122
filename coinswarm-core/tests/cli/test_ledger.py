"""``coinswarm memory log|show|verify|rebuild|migrate``: what people and machines are told of a log in a store."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coinswarm.canonical import digest
from coinswarm.cli import main
from coinswarm.domain.acceptance import AcceptanceRules, Evidence, Rule, Verdict
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import AddEpisode, Configure, Proposal, ProposalKind, Reference, episodes_of, several
from coinswarm.memory.quorum.findings import findings
from coinswarm.memory.quorum.keys import Ed25519Scheme, Ed25519Signer
from coinswarm.memory.quorum.log import Request, decide, take
from coinswarm.memory.quorum.records import START, Ballot, Envelope, Head, Seal, SealVote
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.quorum.wire import seal_bytes
from coinswarm.memory.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.memory.store.opening import Store

NOW = 1_764_000_000_000_000_000
SIGNERS = [Ed25519Signer(bytes([number]) * 32) for number in range(1, 6)]
ROSTER = Roster(
    version=0,
    faulty=1,
    rules=digest("rules"),
    voters=tuple(Seat(f"v{number}", SIGNERS[number].key) for number in range(4)),
    submitters=(Seat("desk", SIGNERS[4].key),),
)


def envelope(number: int, base: int, value: str = "1", life: int = 10) -> Envelope:
    change = Configure("acceptance.max-weight-bp", value)
    proposal = Proposal(kind=ProposalKind.CONFIGURE, subject="acceptance/cap", base_version=base, change=change)
    return Envelope(
        cluster="north", shard="main", roster=0, submitter="desk", nonce=number, deadline_ns=NOW + life,
        proposal=proposal,
    ).signed(SIGNERS[4])  # fmt: skip


def request(one: Envelope, failed: tuple[Rule, ...] = (), epoch: int = 0) -> Request:
    """With ballots of three voters who found the same."""
    rules = [rule for rule in (Rule.EVIDENCE, Rule.BASE, Rule.VALUE) if rule not in failed]
    verdict = Verdict(tuple(rules), failed, ("so",) if failed else ())
    evidence = Evidence(now_ns=NOW, version=one.proposal.base_version, rules=AcceptanceRules())
    ballots = [
        Ballot(
            cluster="north", shard="main", roster=0, proposal=one.id, accepts=not failed,
            findings=findings(verdict, evidence), voter=f"v{number}", seen=START,
        ).signed(SIGNERS[number])
        for number in range(3)
    ]  # fmt: skip
    return Request(envelope=one, proof=tuple(ballots), epoch=epoch)


@pytest.fixture(autouse=True)
def mandatory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rules, whatever a proposal is about: which they are is for others to test."""
    rules = (Rule.EVIDENCE, Rule.BASE, Rule.VALUE)
    monkeypatch.setattr("coinswarm.memory.quorum.findings.mandatory", lambda _: rules)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log with one entry of each outcome."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "swarm.db"
    now = [NOW]
    opened = open_store(str(path), "north", "main", roster=ROSTER, clock=lambda: now[0])
    scheme = Ed25519Scheme()
    first, second, third = request(envelope(1, 0)), request(envelope(2, 0)), request(envelope(3, 1), (Rule.BASE,))
    decide(opened.log, [first, second, third], scheme)
    now[0] += 11
    decide(opened.log, [Request(envelope=envelope(4, 1), epoch=take(opened.log, "c0").epoch)], scheme)
    opened.close()
    monkeypatch.setenv("COINSWARM_STORE", str(path))
    return path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints, on both streams; its exit code is as expected."""

    def run(*args: str | Path, code: int = 0) -> str:
        found = main(["memory", *map(str, args)])
        text = "".join(capsys.readouterr())
        assert found == code, text
        return text

    return run


def change(path: Path, statement: str) -> None:
    """As whoever holds the database can."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)
    connection.close()


def test_the_log_is_a_table(store: Path, said: Callable[..., str]) -> None:
    lines = said("log").splitlines()
    assert lines[0].split() == ["ENTRY", "TIME", "OUTCOME", "KIND", "SUBJECT", "SUBMITTER", "PROPOSAL"]
    assert [line.split()[:3] for line in lines[1:]] == [
        [str(entry), "2025-11-24T16:00:00Z", outcome]
        for entry, outcome in enumerate(["accept", "conflict", "reject", "expired"], 1)
    ]
    assert [line.split()[0] for line in said("log", "--last", "2").splitlines()[1:]] == ["3", "4"]
    assert said("log", "--subject", "weights") == "Nothing was decided about weights.\n"
    assert len(said("log", "--subject", "accept", "--last", "1").splitlines()) == 2
    rows = json.loads(said("log", "--json", "--store", store))
    assert [row["proposal"] for row in rows] == [envelope(number, int(number > 2)).id for number in range(1, 5)]


def test_the_last_of_a_subject_are_found_far_back(tmp_path: Path, said: Callable[..., str]) -> None:
    store = open_store(str(tmp_path / "long.db"), "north", "main", roster=ROSTER, clock=lambda: NOW)
    first = envelope(1, 0)
    requests = [Request(envelope=replace(envelope(2, 0), nonce=nonce).signed(SIGNERS[4])) for nonce in range(2, 250)]
    other = replace(first.proposal, subject="other/thing")
    decide(store.log, [request(replace(first, proposal=other).signed(SIGNERS[4])), request(first)], Ed25519Scheme())
    decide(store.log, requests, Ed25519Scheme())
    store.close()
    found = said("log", "--store", tmp_path / "long.db", "--subject", "other", "--last", "1")
    assert found.splitlines()[1].split()[:1] == ["2"] or "other/thing" in found


@pytest.mark.usefixtures("store")
def test_a_decision_is_shown_with_ballots_and_findings_in_words(said: Callable[..., str]) -> None:
    text = said("show", "1")
    assert f"proposal   {envelope(1, 0).id}" in text
    assert "accept, as entry 1 at 2025-11-24T16:00:00Z" in text
    assert "asks      set acceptance.max-weight-bp to 1" in text
    assert "v2 says ACCEPT, having seen entry 0: every rule held" in text
    assert "v0 says REJECT, having seen entry 0: base failed, the other rules held" in said("show", "3")
    assert "No ballots: what it starts from was no longer in force" in said("show", "2")
    assert "No ballots: its deadline passed." in said("show", envelope(4, 1).id[:12])
    told = json.loads(said("show", envelope(3, 1).id.upper(), "--json"))
    assert (told["entry"], told["outcome"], told["content"]["change"]["value"]) == (3, "reject", "1")
    assert [(row["voter"], row["verdict"], row["failed"]) for row in told["ballots"]] == [
        (f"v{number}", "REJECT", ["base"]) for number in range(3)
    ]
    for wrong in ("9", "0", "zz", "%", ""):
        assert "nothing was decided under" in said("show", wrong, code=2)


def test_an_id_that_begins_several_is_refused(store: Path, said: Callable[..., str]) -> None:
    change(store, "UPDATE entry SET proposal = 'abcdef' || substr(proposal, 7)")
    assert "'abcdef' begins the ids of several proposals: say more: abcdef" in said("show", "abcdef", code=2)


@pytest.mark.usefixtures("store")
def test_a_whole_log_is_said_to_be_whole(said: Callable[..., str]) -> None:
    text = said("verify")
    assert "north/main is whole: 4 entries, the last is " in text
    assert "is believed: to verify it, give --roster" in text
    assert "a log that its owner cut short is not noticed" in text
    Path("roster.json").write_text(ROSTER.text() + "\n", encoding="utf-8")
    told = json.loads(said("verify", "--roster", "roster.json", "--json"))
    assert (told["whole"], told["entries"], told["bad_entry"], told["first_roster_given"]) == (True, 4, None, True)


@pytest.mark.parametrize(
    ("statement", "bad", "why"),
    [
        ("UPDATE proposal SET body = replace(body, '\"1\"', '\"2\"')", 1, "its hash is not that of what it says"),
        ("UPDATE proposal SET body = '{}' WHERE subject LIKE 'acc%'", 1, "cannot be read"),
        ("DELETE FROM quorum_vote WHERE manager_id = 'v1'", 1, "its hash is not that of what it says"),
        ("UPDATE entry SET at_ns = at_ns + 1 WHERE position = 3", 3, "its hash is not that of what it says"),
        ("UPDATE entry SET previous = hash WHERE position = 3", 3, "does not follow from the entry before"),
        ("DELETE FROM entry WHERE position = 2", 2, "follows entry 1"),
        ("DELETE FROM entry WHERE position = 4", 3, "the log's head says 4, its entries end at 3"),
        ("UPDATE decision SET outcome = 'accept' WHERE position = 2", 2, "says conflict, its decision accept"),
        ("INSERT INTO decision SELECT log, 'x', 'accept', 9 FROM head", 9, "the decision on x has no entry"),
        ("UPDATE proposal SET about = 'other'", 1, "the row of the proposal of entry 1 says something else"),
        ("UPDATE proposal SET submitter = 'other'", 1, "the row of the proposal of entry 1 says something else"),
        ("UPDATE quorum_vote SET reasons = 'x' WHERE place = 1", 1, "a row of a ballot of entry 1 says something else"),
        ("UPDATE quorum_vote SET decision = 'REJECT' WHERE place = 2", 1, "a row of a ballot of entry 1 says"),
    ],
)  # fmt: skip
def test_the_first_bad_entry_is_named(
    store: Path, said: Callable[..., str], statement: str, bad: int, why: str
) -> None:
    change(store, statement)
    text = said("verify", code=1)
    assert "north/main is not whole: " in text
    assert why in text
    told = json.loads(said("verify", "--json", code=1))
    assert (told["whole"], told["bad_entry"]) == (False, bad)
    assert why in told["why"]


EDIT = "UPDATE proposal SET body = replace(body, 'acceptance/cap', 'acceptance/cup')"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET at_ns = at_ns + 1 WHERE position = 2",
        f"{EDIT} WHERE id = (SELECT proposal FROM entry WHERE position = 2)",  # noqa: S608 - a test's own
    ],
)
def test_what_was_not_written_so_is_shown_to_nobody(store: Path, said: Callable[..., str], statement: str) -> None:
    """Nor anything else in its place."""
    change(store, statement)
    for command in (("log",), ("show", "2"), ("log", "--json"), ("show", "2", "--json")):
        text = said(*command, code=2)
        assert "entry 2 of the log is not what was written (" in text
        assert "run coinswarm memory verify" in text
        assert "nobody" not in text
    assert "accept" in said("show", "1"), "others are shown as ever"
    assert "expired" in said("log", "--last", "1")


def test_an_entry_that_is_gone_is_told(store: Path, said: Callable[..., str]) -> None:
    change(store, "DELETE FROM entry WHERE position = 2")
    assert "entry 2 of the log is gone, and the log goes on to " in said("show", "2", code=2)


def test_a_log_cut_short_is_caught_by_a_seal(store: Path, said: Callable[..., str]) -> None:
    opened = open_store(str(store), "north", "main")
    third = opened.log.read(1, 2, 1).entries[0].head
    opened.close()
    Path("seals").write_bytes(seal(third) + b"\n")
    assert "Without seals" not in said("verify", "--seals", "seals")
    change(store, "DELETE FROM entry WHERE position > 2")
    change(store, "DELETE FROM decision WHERE position > 2")
    change(store, "UPDATE head SET position = 2, hash = (SELECT hash FROM entry WHERE position = 2)")
    said("verify")
    assert "the log ends at entry 2, but was sealed at 3" in said("verify", "--seals", "seals", code=1)


def seal(head: Head) -> bytes:
    votes = [
        SealVote(cluster="north", shard="main", roster=0, head=head, voter=f"v{number}").signed(SIGNERS[number])
        for number in range(3)
    ]
    return seal_bytes(Seal(head, tuple(votes)))


@pytest.mark.usefixtures("store")
def test_another_roster_than_it_began_with_is_told(said: Callable[..., str]) -> None:
    other = replace(ROSTER, submitters=(Seat("desk", SIGNERS[0].key),))
    Path("roster.json").write_text(other.text(), encoding="utf-8")
    assert "entry 1 of the log is about a proposal that desk did not sign" in said(
        "verify", "--roster", "roster.json", code=1
    )


@pytest.mark.parametrize(
    ("option", "content", "why"),
    [
        ("--roster", b"{}", "roster holds no roster (a roster must be JSON"),
        ("--roster", b"\xff", "is no text: name another file"),
        ("--seals", b"{}\n", "line 1 of "),
    ],
)
def test_files_that_are_none_are_refused(
    store: Path, said: Callable[..., str], option: str, content: bytes, why: str
) -> None:
    path = store.with_name("roster")
    path.write_bytes(content)
    assert why in said("verify", option, path, code=2)
    assert "check the path" in said("verify", option, "missing", code=2)


def test_state_that_was_changed_is_derived_anew(store: Path, said: Callable[..., str]) -> None:
    assert said("rebuild") == "The state is what 4 entries make of it.\n"
    change(store, "UPDATE subject SET version = 7")
    change(store, "INSERT INTO spent SELECT log, 'desk#99', 'x' FROM head")
    change(store, "INSERT INTO spent SELECT log, 'desk#98', 'x' FROM head")
    for _ in range(2):
        text = said("rebuild", "--check", code=1)
        assert text == "subject: 1 row differ\nspent: 2 rows differ\nNothing was changed.\n"
    assert json.loads(said("rebuild", "--json"))["differed"] == {"subject": 1, "spent": 2}
    assert said("rebuild") == "The state is what 4 entries make of it.\n"


def test_state_is_not_derived_from_a_log_that_is_not_whole(store: Path, said: Callable[..., str]) -> None:
    change(store, "UPDATE subject SET version = 7")
    change(store, "UPDATE entry SET at_ns = at_ns + 1 WHERE position = 3")
    assert "entry 3 of the log belongs to nobody" in said("rebuild", code=2)
    change(store, "DELETE FROM entry WHERE position > 2")
    assert "entry 3 of the log is missing" in said("rebuild", code=2)


@pytest.mark.usefixtures("store")
def test_a_store_that_cannot_be_used_says_what_to_do(said: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {
        "missing.db": "there is no store missing.db: name the file of a swarm that has run",
        "no/folder.db": "there is no store no/folder.db",
        "mysql://h/x": "a store cannot be at mysql://…: did you mean 'sqlite'?",
        "sqlite://": "names no file",
        "postgresql://u:secret@h:port/x": "the URL postgresql://… of the store cannot be read",
    }
    for url, why in told.items():
        text = said("log", "--store", url, code=2)
        assert why in text
        assert "secret" not in text
    Path("text.db").write_text("no database" * 100, encoding="utf-8")
    assert "is no SQLite file, or damaged" in said("verify", "--store", "text.db", code=2)
    sqlite3.connect("other.db").execute("CREATE TABLE thing (a)").connection.close()
    assert "other.db has no tables of Coinswarm: coinswarm memory migrate --store 'other.db' makes them" in said(
        "log", "--store", "other.db", code=2
    )
    text = said("log", "--store", "postgresql://u:secret@127.0.0.1:1/x", code=4)
    assert "postgresql://u:***@127.0.0.1:1/x cannot be reached" in text
    assert "secret" not in text
    monkeypatch.delenv("COINSWARM_STORE")
    assert "no store is named: give --store" in said("log", code=2)
    assert "did you mean 'verify'?" in said("verfy", code=2)


def test_of_several_logs_one_must_be_named(store: Path, said: Callable[..., str]) -> None:
    open_store(str(store), "south", "main", roster=ROSTER).close()
    assert "holds several logs: say --cluster and --shard: north/main, south/main" in said("log", code=2)
    assert said("log", "--cluster", "south") == "Nothing was decided yet.\n"
    assert "holds no log of soth/(any): did you mean 'south/main'?" in said("log", "--cluster", "soth", code=2)


def test_tables_are_made_once(tmp_path: Path, said: Callable[..., str]) -> None:
    path = tmp_path / "new.db"
    assert said("migrate", "--store", path) == f"{path} is at version 0003 now; it had no tables.\n"
    assert said("migrate", "--store", path) == f"{path} is at version 0003 already.\n"
    assert json.loads(said("migrate", "--store", path, "--json")) == {
        "store": str(path), "before": "0003", "after": "0003",
    }  # fmt: skip
    assert "holds no log yet: a swarm founds it when it starts" in said("log", "--store", path, code=2)
    assert "the folder of" in said("migrate", "--store", tmp_path / "none" / "x.db", code=2)


PROFILE = """
[swarm]
cluster = "north"
roster = "roster.json"
database = "swarm.db"
[[swarm.voters]]
id = "v0"
voter = "whoever"
[memory]
backend = "local"
settings = { path = "index.db" }
"""


def remember(store: Store, *numbers: int, together: bool = False) -> None:
    """Have episodes accepted, with their vectors, each by itself or all in one proposal."""
    asked = []
    for number in numbers:
        vector = np.array([number, 1], dtype="<f4").tobytes()
        [name] = store.facts.add_vectors([vector])
        episode = Episode(
            id=digest(number), agent="trend", instrument="X", side=1, decided_ns=1, known_ns=2, result_ppm=number
        )
        change = AddEpisode(
            space="trend/state", dimension=2, episode=episode, vector_digest=name, trade=Reference("trade/x", name)
        )
        proposal = Proposal(
            kind=ProposalKind.ADD_EPISODE, subject=f"episode/{episode.id}", base_version=0, change=change
        )
        asked.append(proposal)
    if together:
        asked = [several(tuple(added for one in asked for added in episodes_of(one.change)))]
    for number, proposal in zip(numbers, asked, strict=False):
        one = replace(envelope(100 + number, 0, life=10**18), proposal=proposal).signed(SIGNERS[4])
        decide(store.log, [request(one)], Ed25519Scheme())


@pytest.mark.parametrize(
    "command", ["memory log", "memory show 1", "memory verify", "memory rebuild", "memory migrate", "weights show"]
)
def test_a_profile_takes_the_place_of_no_store_that_was_typed(
    store: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who verifies a copy is not told that the original is whole, and who migrates one finds the original as it was."""
    Path("roster.json").write_text(ROSTER.text() + "\n", encoding="utf-8")
    Path("north.toml").write_text(PROFILE, encoding="utf-8")
    assert main([*command.split(), "--store", f"copy-of-{store.name}", "--profile", "north.toml"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("coinswarm: error: --store and --profile each name a store: give one of them (see coin")
    assert said.out == ""


def test_a_profile_names_the_log_its_roster_and_its_index(
    store: Path, said: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COINSWARM_STORE")
    Path("roster.json").write_text(ROSTER.text() + "\n", encoding="utf-8")
    Path("north.toml").write_text(PROFILE, encoding="utf-8")
    profile = ("--profile", "north.toml")
    assert "ENTRY" in said("log", *profile)
    assert "is believed" not in said("verify", *profile)
    assert said("migrate", *profile) == "swarm.db is at version 0003 already.\n"
    opened = open_store(str(store), "north", "main", clock=lambda: NOW)
    remember(opened, 1, 2)
    assert said("rebuild", "--check", *profile, code=1) == (
        "index of trend/state (2): it is empty\nNothing was changed.\n"
    )
    assert "Derived anew from 6 entries." in said("rebuild", *profile)
    assert said("rebuild", *profile) == "The state is what 6 entries make of it.\n"
    remember(opened, 3)
    told = json.loads(said("rebuild", "--json", *profile))
    assert told["index"] == {"trend/state (2)": "it stands at entry 6, not at 7"}
    change(Path("index.db"), "DELETE FROM episode WHERE rowid IN (SELECT rowid FROM episode LIMIT 1)")
    assert "it holds 2 episodes of 3" in said("rebuild", *profile)
    assert said("rebuild", "--check", *profile) == "The state is what 7 entries make of it.\n"
    remember(opened, 4, 5, together=True)
    assert json.loads(said("rebuild", "--json", *profile))["index"] == {
        "trend/state (2)": "it stands at entry 7, not at 8",
    }
    assert said("rebuild", "--check", *profile) == "The state is what 8 entries make of it.\n"
    change(Path("index.db"), "UPDATE episode SET result_ppm = 6 WHERE result_ppm = 5")
    assert "1 of its 5 episodes are not as accepted" in said("rebuild", *profile)
    assert "north/main is whole: 8 entries" in said("verify", *profile)
    [found] = json.loads(said("log", "--json", "--subject", f"episode/{digest(5)}", *profile))
    assert (found["entry"], found["kind"], found["outcome"]) == (8, "add_episodes", "accept")
    name = found["subject"].partition("/")[2]
    assert f"episodes/{name[:12]} (2)" in said("log", "--last", 1, *profile)
    shown = said("show", 8, *profile)
    assert "asks      remember 2 episodes, all of them or none\n" in shown
    assert f"          {digest(4)[:12]}: trend went long in X and made +0.00 %\n" in shown
    told = json.loads(said("show", 8, "--json", *profile))
    assert [one["episode"]["id"] for one in told["content"]["change"]["episodes"]] == [digest(4), digest(5)]
    opened.close()
    assert "there is no profile 'none.toml'" in said("log", "--profile", "none.toml", code=2)
    assert "holds no log of south/main" in said("log", *profile, "--cluster", "south", code=2)


@pytest.mark.integration
@pytest.mark.usefixtures("store")
def test_a_reader_that_goes_away_is_no_traceback() -> None:
    program = "from coinswarm.cli import main; raise SystemExit(main())"
    command = f"{sys.executable} -c '{program}' memory log --json | head -c 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[", "")
