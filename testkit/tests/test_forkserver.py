"""Workers that are forked: fresh processes like any other, and what becomes of one whose plugin turns on its parent."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from coinswarm_testkit import forkserver
from coinswarm_testkit.bench import RemoteBench
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.starting import own_path
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.suite import outcome
from coinswarm_testkit.verdicts import CheckSkipped, NoAnswerError, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.link import Link

pytestmark = pytest.mark.skipif(not forkserver.SUPPORTED, reason="workers are forked on Linux alone")

KILL = "os.kill(os.getppid(), signal.SIGKILL)"

SOURCE = """\
import os, random, signal, subprocess, sys, threading, time
import numpy as np
SEEN = []
class Told:
    def run(self, text):
        found = dict(globals())
        exec(text, found)
        return found.get("it")
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RemoteBench]:
    """One whose subject does as it is told."""
    (tmp_path / "told.py").write_text(SOURCE)
    with RemoteBench(Subject("told", "told:Told", kind="bus"), paths=(str(tmp_path), *own_path())) as made:
        yield made


def said(link: Link, expression: str) -> Any:  # noqa: ANN401 - by the expression
    """What an expression is where the plugin lives."""
    return did(link, f"it = {expression}")


def did(link: Link, text: str) -> Any:  # noqa: ANN401 - by the lines
    """What some lines leave as ``it`` there."""
    link.make()
    return link.call("run", text)


def test_links_are_processes_of_one_parent_that_share_nothing(bench: RemoteBench) -> None:
    with bench.link() as one, bench.link() as other:
        numbers = [said(link, "os.getpid()") for link in (one, other)]
        parents = {said(link, "os.getppid()") for link in (one, other)}
        assert len({*numbers, *parents, os.getpid()}) == 4
        did(one, "SEEN.append(1); os.environ['SEEN'] = 'yes'; sys.modules['seen'] = os")
        assert said(other, "[SEEN, 'SEEN' in os.environ, 'seen' in sys.modules]") == [[], False, False]
    with bench.link() as third:
        assert said(third, "[SEEN, 'SEEN' in os.environ, 'seen' in sys.modules]") == [[], False, False]
        assert said(third, "os.getppid()") in parents


def test_each_is_at_home_in_an_empty_folder_and_leads_a_session(bench: RemoteBench) -> None:
    look = "[os.getcwd(), os.environ['HOME'], os.listdir('.'), os.getpgrp() == os.getsid(0) == os.getpid()]"
    with bench.link() as one, bench.link() as other:
        [(here, home, files, leads), (there, *_)] = [said(link, look) for link in (one, other)]
        assert (here, files, leads) == (home, [], True)
        assert here != there
        assert said(one, "os.environ['COINSWARM_HOME']") == f"{home}/coinswarm"


def test_nothing_is_open_in_it_but_its_own(bench: RemoteBench) -> None:
    """Above all not the line to the judge."""
    text = """
def safe(fd):
    try:
        return os.readlink(f'/proc/self/fd/{fd}').split(':')[0]
    except OSError:
        return ''
it = sorted(filter(None, (safe(fd) for fd in os.listdir('/proc/self/fd'))))
"""
    with bench.link() as one, bench.link() as other:
        for link in (one, other):
            found = did(link, text)
            assert isinstance(found, list)
            assert [name for name in found if name.startswith("socket")] == []
            assert [name for name in found if name == "pipe"] == ["pipe", "pipe"], "requests and answers"


def test_what_is_drawn_by_chance_differs(bench: RemoteBench) -> None:
    """Else an agent that draws would agree with itself in every process."""
    for draw in ("np.random.random()", "random.random()", "os.urandom(8)"):
        found = set()
        for _ in range(3):
            with bench.link() as link:
                found.add(said(link, draw))
        assert len(found) == 3, draw


def test_with_variables_it_is_started_by_itself(bench: RemoteBench) -> None:
    with bench.link() as forked, bench.link(TOLD="yes") as alone:
        assert said(forked, "os.environ.get('TOLD')") is None
        assert said(alone, "os.environ.get('TOLD')") == "yes"
        assert said(alone, "os.getppid()") == os.getpid()
        assert said(forked, "os.getppid()") != os.getpid()


def test_alone_too_so_that_nothing_is_alike(bench: RemoteBench) -> None:
    where = "id(os)"
    with bench.alone() as one, bench.alone() as other, bench.link() as third, bench.link() as fourth:
        assert {said(link, "os.getppid()") for link in (one, other)} == {os.getpid()}
        assert said(one, where) != said(other, where)
        assert said(third, where) == said(fourth, where), "else there would be no need"


def test_for_an_agent_compiled_code_is_there(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text(SOURCE)
    look = "[name in sys.modules for name in ('coinswarm.simulator.kernel', 'coinswarm.indicators')]"
    for kind, there in (("agent", [True, True]), ("bus", [False, False])):
        subject = Subject("told", "told:Told", kind=kind)  # type: ignore[arg-type]
        with RemoteBench(subject, paths=(str(tmp_path), *own_path())) as made, made.link() as link:
            assert said(link, look) == there


def test_outside_a_with_block_too(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text(SOURCE)
    with RemoteBench(Subject("told", "told:Told"), paths=(str(tmp_path), *own_path())).link() as link:
        assert said(link, "os.getppid()") == os.getpid()


def test_what_it_prints_is_kept(bench: RemoteBench) -> None:
    with bench.link() as one, bench.link() as other:
        did(one, "print('one', flush=True)")
        did(other, "print('other', file=sys.stderr, flush=True)")
        assert (one.output(), other.output()) == ("one\n", "other\n")


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("print('bye', flush=True); os._exit(7)", r"ended with code 7 while asked objects\.call: bye"),
        ("os.kill(os.getpid(), 9)", r"ended by signal 9 while asked objects\.call"),
        ("os.closerange(3, 64)", r"closed the line while asked objects\.call"),
    ],
)
def test_how_it_ended_is_told(bench: RemoteBench, text: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coinswarm_testkit.remote.LEAVING_SECONDS", 0.5)
    text = text if "closerange" not in text else f"{text}; time.sleep(60)"
    with bench.link() as link, pytest.raises(NoAnswerError, match=how):
        did(link, text)
    with bench.link() as link:
        assert said(link, "1") == 1


def test_what_it_started_ends_with_it(bench: RemoteBench) -> None:
    with bench.link() as link:
        child = did(link, "it = subprocess.Popen(['sleep', '60']).pid")
        assert isinstance(child, int)
        assert not is_over(child)
    assert soon(lambda: is_over(child))


def test_all_end_with_the_bench(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text(SOURCE)
    with RemoteBench(Subject("told", "told:Told", kind="bus"), paths=(str(tmp_path), *own_path())) as made:
        link = made.standing("here")
        numbers = [said(link, "os.getpid()"), said(link, "os.getppid()")]
        [folder] = {said(link, "os.readlink(f'/proc/{os.getppid()}/cwd')")}
    assert all(soon(partial(is_over, number)) for number in numbers)
    assert not os.path.exists(str(folder))  # noqa: PTH110 - a text that came from there


def test_who_kills_its_parent_fails_and_the_next_link_has_another(bench: RemoteBench) -> None:
    with bench.link() as link, bench.link() as other:
        first = did(link, f"it = os.getppid(); {KILL}")
        with pytest.raises(NoAnswerError, match="the process that its own are forked from was ended or stopped"):
            bench.link().__enter__()
        left = said(other, "os.getpid()")
        with bench.link() as third:
            assert said(third, "os.getppid()") != first
        bench.demand_sound()
    assert soon(lambda: is_over(left)), "nobody is left behind"


def test_it_fails_although_no_link_is_asked_for_any_more(bench: RemoteBench) -> None:
    """A link that ends, and the next one in another check: nothing but that check would fail, if any."""
    bench.demand_sound()
    with bench.link() as link:
        did(link, KILL)
    with pytest.raises(NoAnswerError, match="was ended or stopped"):
        bench.demand_sound()
    bench.demand_sound()
    with bench.link() as link:
        did(link, KILL)
    with pytest.raises(NoAnswerError, match="was ended or stopped"):
        bench.link().__enter__()
    with bench.link() as link:
        assert said(link, "1") == 1
    bench.demand_sound()


@pytest.mark.parametrize("skips", [False, True])
def test_so_does_the_check_in_which_it_happened(bench: RemoteBench, *, skips: bool) -> None:
    def kills(bench: Bench) -> None:
        with bench.link() as link:
            did(link, KILL)
        if skips:
            message = "there is nothing to see"
            raise CheckSkipped(message)

    def looks(bench: Bench) -> None:
        with bench.link() as link:
            assert said(link, "1") == 1

    found = [outcome(bench, Check("X1", "it kills", 0, kills)), outcome(bench, Check("X2", "it looks", 0, looks))]
    assert [one.result for one in found] == [Result.FAILED, Result.PASSED]
    assert "was ended or stopped" in found[0].reason


def test_who_stops_its_parent_fails_too(bench: RemoteBench, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench.link() as link:
        first = said(link, "os.getppid()")
    monkeypatch.setattr(forkserver, "PATIENCE_SECONDS", 20.0)
    did_kill(bench, first)
    with bench.link() as link:
        parent = said(link, "os.getppid()")
        assert parent not in {os.getpid(), first}
        bench._forks._server._line.settimeout(1.0)  # type: ignore[union-attr] # of this one, which is ready
        did(link, "os.kill(os.getppid(), signal.SIGSTOP)")
        with pytest.raises(NoAnswerError, match="ended or stopped"):
            bench.link().__enter__()
    assert is_over(parent)


def did_kill(bench: RemoteBench, parent: int) -> None:
    """Have one process ended, so that the next link is of another."""
    os.kill(parent, signal.SIGKILL)
    with pytest.raises(NoAnswerError):
        bench.demand_sound()


def test_what_is_interrupted_leaves_nobody(bench: RemoteBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge is told to end while it waits to hear how a worker ended: that answer is not taken for another."""
    monkeypatch.setattr("coinswarm_testkit.remote.LEAVING_SECONDS", 30.0)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with bench.link() as link:
            numbers = [said(link, "os.getpid()"), said(link, "os.getppid()")]
            threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            with pytest.raises(Interrupted):
                did(link, "os.closerange(3, 64); time.sleep(60)")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert all(soon(partial(is_over, number)) for number in numbers)


class Interrupted(BaseException):
    """As by SystemExit."""


def interrupt(_number: int, _frame: object) -> NoReturn:
    raise Interrupted


def test_where_dead_children_are_nobodys_business(tmp_path: Path) -> None:
    """Who starts the judge may have said so, and it is inherited."""
    (tmp_path / "told.py").write_text(SOURCE)
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        subject = Subject("told", "told:Told", kind="bus")
        with RemoteBench(subject, paths=(str(tmp_path), *own_path())) as made:
            with made.link() as link:
                assert said(link, "os.getppid()") != os.getpid()
            with made.link() as link, pytest.raises(NoAnswerError, match="ended with code 7"):
                did(link, "os._exit(7)")
            made.demand_sound()
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_where_the_judge_is_killed_all_end_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text(SOURCE)
    (tmp_path / "judge.py").write_text(JUDGE.format(paths=(str(tmp_path), *own_path())))
    with subprocess.Popen([sys.executable, str(tmp_path / "judge.py")], stdout=subprocess.PIPE, text=True) as judge:
        assert judge.stdout is not None
        worker, server, folder = judge.stdout.readline().split()
        assert folder.rpartition("/")[2].startswith(forkserver.FOLDER)
        judge.kill()
    assert all(soon(partial(is_over, number)) for number in (worker, server))
    assert soon(lambda: not os.path.exists(folder))  # noqa: PTH110 - a text that came from there


JUDGE = """\
from coinswarm_testkit.bench import RemoteBench
from coinswarm_testkit.subject import Subject
with RemoteBench(Subject("told", "told:Told", kind="bus"), paths={paths}) as bench, bench.link() as link:
    link.make()
    look = "it = [os.getpid(), os.getppid(), os.readlink(f'/proc/{{os.getppid()}}/cwd')]"
    print(*link.call("run", look), flush=True)
    link.call("run", "time.sleep(60)")
"""


def test_no_room_for_a_process_is_told(bench: RemoteBench) -> None:
    """As by whoever starts one: it is nothing that the plugin did."""
    with bench.link() as link:
        parent = said(link, "os.getppid()")
    assert isinstance(parent, int)
    _, most = resource.prlimit(parent, resource.RLIMIT_NOFILE)
    resource.prlimit(parent, resource.RLIMIT_NOFILE, (4, most))
    with pytest.raises(OSError, match="Too many open files"):
        bench.link().__enter__()
    resource.prlimit(parent, resource.RLIMIT_NOFILE, (most, most))
    with bench.link() as link:
        assert said(link, "os.getppid()") == parent


@pytest.mark.parametrize("how", ["it ends", "there is no room"])
def test_where_it_cannot_be_made_ready_each_is_started_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    (tmp_path / "told.py").write_text(SOURCE)
    (tmp_path / "folders").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "folders"))
    if how == "it ends":
        monkeypatch.setattr(forkserver, "_SERVE", "raise SystemExit(1)")
    else:
        monkeypatch.setattr(forkserver, "interpreter", refused)
    with RemoteBench(Subject("told", "told:Told"), paths=(str(tmp_path), *own_path())) as made:
        for _ in range(2):
            with made.link() as link:
                assert said(link, "os.getppid()") == os.getpid()
        made.demand_sound()
        assert not list((tmp_path / "folders").iterdir())


def refused(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_it_imports_nothing_of_the_plugin_and_all_that_its_kind_needs(bench: RemoteBench) -> None:
    with bench.link() as link:
        assert said(link, "'told' in sys.modules and 'coinswarm_testkit.worker.buses' in sys.modules") is True
    assert "told" not in sys.modules


def is_over(number: object) -> bool:
    """Whether no such process is left, or only what it leaves to its parent."""
    try:
        with open(f"/proc/{number}/stat") as file:  # noqa: PTH123 - of the system
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def soon(found: Callable[[], bool]) -> bool:
    """Whether something becomes true within a few seconds."""
    until = time.monotonic() + 10
    while not found():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
