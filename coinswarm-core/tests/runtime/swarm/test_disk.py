"""A voter's disk: what was kept is there after a crash, once, and nobody else uses it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coinswarm.canonical import digest
from coinswarm.errors import DataError, NotReadyError, OutputError
from coinswarm.memory.quorum.keys import Ed25519Signer
from coinswarm.memory.quorum.messages import Keep, Propose, Remember, Vote
from coinswarm.memory.quorum.records import START, Ballot, Envelope, Head, SealVote
from coinswarm.runtime.swarm.disk import Disk, seen_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.domain.proposal import Proposal

SIGNER = Ed25519Signer(b"k" * 32)


@pytest.fixture
def vote(propose: Callable[..., Proposal]) -> Callable[..., Vote]:
    """Makes votes on proposals that differ by their nonce."""

    def made(nonce: int = 1, *, accepts: bool = True) -> Vote:
        envelope = Envelope(
            cluster="north", shard="main", roster=0, submitter="desk", nonce=nonce, deadline_ns=9, proposal=propose()
        ).signed(SIGNER)
        ballot = Ballot(
            cluster="north", shard="main", roster=0, proposal=envelope.id, accepts=accepts, findings=digest(accepts),
            voter="v1", seen=START,
        )  # fmt: skip
        return Vote(envelope, ballot.signed(SIGNER))

    return made


def disk(folder: Path) -> Disk:
    return Disk(folder / "v1.sqlite", "v1", "north", "main")


def test_what_was_kept_first_stays(tmp_path: Path, vote: Callable[..., Vote]) -> None:
    yes, no = vote(accepts=True), vote(accepts=False)
    with disk(tmp_path) as first:
        assert first.fresh
        assert first.write([Keep(yes, START), Keep(Propose(yes.envelope), START)]) == [yes, Propose(yes.envelope)]
        assert first.write([Keep(no, START)]) == [yes], "another ballot on the same proposal is not kept"
    with disk(tmp_path) as again:
        assert not again.fresh
        assert again.votes() == [yes]
        assert again.proposals() == [yes.envelope]
        assert again.write([Keep(no, START), Keep(yes, START)]) == [yes, yes]


def test_a_disk_is_fresh_until_something_was_seen_by_it(tmp_path: Path) -> None:
    """Not only as long as there is no file: who is refused with an empty one is refused the next time too."""
    for _ in range(2):
        with disk(tmp_path) as empty:
            assert empty.fresh
    with disk(tmp_path) as begun:
        begun.write([Remember(START)])
    with disk(tmp_path) as again:
        assert not again.fresh


def test_a_seal_vote_is_kept_once_for_each_index(tmp_path: Path) -> None:
    one, other = (
        SealVote(cluster="north", shard="main", roster=0, head=Head(1_000, digest(text)), voter="v1").signed(SIGNER)
        for text in ("a", "b")
    )
    with disk(tmp_path) as opened:
        assert opened.write([Keep(one, START)]) == [one]
        assert opened.write([Keep(other, START)]) == [one]


def test_the_highest_head_stays(tmp_path: Path, vote: Callable[..., Vote]) -> None:
    low, high = Head(3, digest(3)), Head(7, digest(7))
    with disk(tmp_path) as opened:
        opened.write([Remember(high), Keep(vote(), low), Remember(low)])
    with disk(tmp_path) as opened:
        assert opened.seen == high


def test_what_is_decided_goes(tmp_path: Path, vote: Callable[..., Vote]) -> None:
    with disk(tmp_path) as opened:
        opened.write([Keep(vote(1), START), Keep(vote(2), START), Keep(Propose(vote(1).envelope), START)])
        opened.write([Remember(Head(1, digest(1)))], [vote(1).envelope.id])
        assert opened.votes() == [vote(2)]
        assert opened.proposals() == []


def test_a_second_process_with_the_same_name_is_refused(tmp_path: Path) -> None:
    with disk(tmp_path), pytest.raises(NotReadyError, match=f"runs already, in process {os.getpid()}"), disk(tmp_path):
        pass
    with disk(tmp_path):
        """The lock went with its holder."""


def test_somebody_elses_disk_is_refused(tmp_path: Path) -> None:
    with disk(tmp_path):
        pass
    other = Disk(tmp_path / "v1.sqlite", "v2", "north", "main")
    with pytest.raises(DataError, match="is the disk of v1/north/main"), other:
        pass


KILLED = """
import sys
from pathlib import Path
from coinswarm.memory.quorum import wire
from coinswarm.memory.quorum.messages import Keep
from coinswarm.memory.quorum.records import START
from coinswarm.runtime.swarm.disk import Disk, seen_in
with Disk(Path(sys.argv[1]), "v1", "north", "main") as disk:
    for line in sys.stdin.buffer:
        [kept] = disk.write([Keep(wire.message_from(line[:-1]), START)])
        print(kept.envelope.id, flush=True)
"""


def test_what_was_answered_for_survives_a_kill(tmp_path: Path, vote: Callable[..., Vote]) -> None:
    """And half a transaction at the end of the file is not there."""
    from coinswarm.memory.quorum import wire  # noqa: PLC0415 - beside the script that uses it

    path = tmp_path / "v1.sqlite"
    votes = [vote(nonce) for nonce in range(20)]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for one in votes:
            process.stdin.write(wire.message_bytes(one) + b"\n")
        process.stdin.flush()
        answered = {process.stdout.readline().decode().strip() for _ in range(len(votes))}
        process.send_signal(signal.SIGKILL)
    log = path.with_name("v1.sqlite-wal")
    with log.open("ab") as file:
        file.write(log.read_bytes()[-3_000:])  # frames that no commit follows, their check sums wrong in this place
    with disk(tmp_path) as again:
        assert {one.envelope.id for one in again.votes()} == answered == {one.envelope.id for one in votes}


def test_a_damaged_disk_is_refused_with_what_to_do(tmp_path: Path, vote: Callable[..., Vote]) -> None:
    with disk(tmp_path) as opened:
        opened.write([Keep(vote(nonce), START) for nonce in range(50)])
    path = tmp_path / "v1.sqlite"
    data = bytearray(path.read_bytes())
    data[4_096:] = bytes(len(data) - 4_096)
    path.write_bytes(data)
    with pytest.raises(DataError, match="do not start it with an empty file"), ExitStack() as stack:
        stack.enter_context(disk(tmp_path)).votes()
    path.write_bytes(b"no database at all, but text that is long enough to be one" * 100)
    with pytest.raises(DataError, match="is damaged"), disk(tmp_path):
        pass


def test_a_full_disk_keeps_nothing_and_says_so(tmp_path: Path, vote: Callable[..., Vote]) -> None:
    with disk(tmp_path) as opened:
        opened.write([Keep(vote(0), START)])
        assert opened._connection is not None
        [(pages,)] = opened._connection.execute("PRAGMA page_count")
        opened._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutputError, match="see that it has room"):
            opened.write([Keep(vote(nonce), START) for nonce in range(1, 50)])
        assert opened.votes() == [vote(0)], "nothing of the batch"
        opened._connection.execute("PRAGMA max_page_count = 1000000")
        opened.write([Keep(vote(1), START)])
        assert len(opened.votes()) == 2


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be used"), disk(tmp_path / "file"):
        pass


def test_how_far_disks_have_seen_is_read_without_opening_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen_in(tmp_path) == seen_in(tmp_path / "nowhere") == 0
    with disk(tmp_path) as one:
        assert seen_in(tmp_path) == 0
        one.write([Remember(Head(7, "0" * 64))])
        assert seen_in(tmp_path) == 7, "also while its process runs"
    (tmp_path / "none.sqlite").write_text("no disk at all")
    assert seen_in(tmp_path) == 7
    monkeypatch.chdir(tmp_path)
    assert seen_in(Path()) == 7, "in a folder of the working directory's"
