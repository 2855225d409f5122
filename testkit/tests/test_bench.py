"""Links: the same answers here and from a process of its own, and what becomes of a plugin that does not answer."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING

import pytest

from coinswarm_testkit import remote
from coinswarm_testkit.bench import Bench, LocalBench, Raised, RemoteBench, Step
from coinswarm_testkit.markets.paths import regimes
from coinswarm_testkit.starting import own_path
from coinswarm_testkit.subject import Subject
from coinswarm_testkit.verdicts import NoAnswerError, PluginRaisedError
from coinswarm_testkit.worker import wire
from coinswarm_testkit.worker.__main__ import HEAD, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HONEST = Subject("honest", "coinswarm_mutants.agents._honest:Counter")
RUDE = "coinswarm_mutants.entry.rude"


def local(subject: Subject) -> Bench:
    return LocalBench(subject)


def apart(subject: Subject) -> Bench:
    return RemoteBench(subject)


@pytest.fixture(params=[local, apart], ids=["local", "remote"])
def bench(request: pytest.FixtureRequest) -> Callable[[Subject], Bench]:
    made: Callable[[Subject], Bench] = request.param
    return made


def test_an_object_keeps_its_state_within_a_link_and_not_beyond(bench: Callable[[Subject], Bench]) -> None:
    made = bench(HONEST)
    with made.link() as link:
        link.make()
        link.ask("agents.decided", bars=regimes(5, 0), key="it")
        assert link.call("snapshot") == b"5"
        link.call("restore", b"2")
        assert link.script([Step("snapshot"), Step("no_such_method")]) == [
            b"2",
            Raised("AttributeError", "'Counter' object has no attribute 'no_such_method'", _bases()),
        ]
    with made.link() as link:
        link.make()
        assert link.call("snapshot") == b"0"


def _bases() -> tuple[str, ...]:
    return tuple(kind.__name__ for kind in AttributeError.__mro__)


def test_coroutines_share_one_loop_that_goes_on_between_requests(bench: Callable[[Subject], Bench]) -> None:
    with bench(Subject("patient", f"{RUDE}:Patient")).link() as link:
        link.make()
        link.call("begin")
        assert link.call("finished") is True
        answers = link.script([Step("meet", ("a", "b")), Step("meet", ("b", "a"))], concurrent=True)
        assert answers == ["b", "a"], "each waits for the other: one after the other they would wait for ever"
        raised = link.script([Step("fail")], concurrent=True)
        assert [str(one) for one in raised] == ["ValueError: as asked"]


def test_what_it_raises_is_told(bench: Callable[[Subject], Bench]) -> None:
    with bench(HONEST).link() as link, pytest.raises(PluginRaisedError, match="it raised KeyError") as caught:
        link.call("snapshot", key="nobody")
    assert "LookupError" in caught.value.bases


def test_what_cannot_travel_is_told(bench: Callable[[Subject], Bench]) -> None:
    with bench(Subject("odd", f"{RUDE}:Patient")).link() as link:
        link.make()
        with pytest.raises(Exception, match="a object, which cannot travel to the judge"):
            link.call("thing")


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("leave", r"its process ended with code 0 while asked objects.call: good bye"),
        ("crash", r"its process ended by signal 9 while asked objects.call"),
        ("babble", r"something that is no answer to objects.call"),
        ("answer_for_the_judge", r"something that is no answer to objects.call"),
        ("hang_up", r"its process (closed the line|ended).* while asked objects.call"),
    ],
)
def test_who_does_not_answer_fails(method: str, said: str) -> None:
    with apart(Subject("rude", f"{RUDE}:Rude")).link() as link:
        link.make()
        with pytest.raises(NoAnswerError, match=said):
            link.call(method)
        with pytest.raises(NoAnswerError):
            link.call(method)


def test_who_hangs_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PATIENCE_SECONDS", 3.0)
    with apart(Subject("rude", f"{RUDE}:Rude")).link() as link:
        link.make()
        with pytest.raises(NoAnswerError, match=r"did not answer objects\.call within 3 s"):
            link.call("hang")


def test_it_sees_an_empty_home_and_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_SECRET", "hunter2")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    with apart(Subject("nosy", f"{RUDE}:Rude")).link(TOLD="yes") as link:
        link.make()
        seen = link.call("environment")
        assert "EXCHANGE_SECRET" not in seen
        assert (seen["TOLD"], seen["OPENBLAS_NUM_THREADS"]) == ("yes", "3"), "what it is told, and how busy it may be"
        assert link.call("files") == []
        link.call("speak", "to standard output")
        assert "to standard output" in link.output()


def test_a_worker_answers_request_by_request() -> None:
    requests, answers = io.BytesIO(), io.BytesIO()
    for number, (name, arguments) in enumerate(
        [("agents.facts", {}), ("agents.nothing", {}), ("agents.said", {"bars": regimes(3, 0)})], 1
    ):
        content = pickle.dumps((HONEST, name, arguments))
        requests.write(HEAD.pack(number, len(content)) + content)
    requests.seek(0)
    serve(requests, answers)
    answers.seek(0)
    found = []
    while head := answers.read(HEAD.size):
        number, size = HEAD.unpack(head)
        found.append((number, wire.loads(answers.read(size))))
    assert found[0] == (1, {"is": {"columnar": False, "warm_up": 0}})
    assert found[1][1]["raised"][0] == "KeyError"
    assert found[2][1]["is"].shape == (3, 6)


def test_a_standing_link_is_one_for_all_who_ask() -> None:
    with apart(HONEST) as made:
        made.standing("sessions").make("kept")
        assert made.standing("sessions").call("snapshot", key="kept") == b"0"
    assert not made.kept, "and gone when the bench is left"


def test_the_standard_library_comes_before_whatever_is_judged(tmp_path: Path) -> None:
    """Else a distribution would replace what core imports, by installing a module of that name."""
    (tmp_path / "colorsys.py").write_text("raise RuntimeError('not the standard library')\n")
    (tmp_path / "shadowing.py").write_text("import colorsys\nclass Shadowing:\n    def where(self): return __file__\n")
    paths = (str(tmp_path), *own_path())
    with RemoteBench(Subject("shadowing", "shadowing:Shadowing"), paths=paths).link() as link:
        link.make()
        assert link.call("where") == str(tmp_path / "shadowing.py")
    assert remote.probed("shadowing", (), environment={}, paths=paths)["problem"] == ""


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("import pathlib; pathlib.Path('mark').touch()", "open mark for writing"),
        ("import os; os.close(os.open('mark', os.O_WRONLY | os.O_CREAT))", "open mark for writing"),
        ("import os; os.makedirs('cache/deep')", "os.mkdir"),
        ("import os; os.symlink('here', 'there')", "os.symlink"),
        ("import sqlite3; sqlite3.connect('cache.db').close()", "open the database cache.db"),
        ("import sqlite3; sqlite3.connect(':memory:').close(); open(__file__).close()", ""),
    ],
)
def test_a_probe_sees_every_way_to_leave_something_behind(tmp_path: Path, source: str, seen: str) -> None:
    (tmp_path / "leaving.py").write_text(source)
    found = remote.probed("leaving", (), environment={}, paths=(str(tmp_path), *own_path()))
    assert found["problem"] == ""
    assert set(found["seen"]) == ({seen} if seen else set())


def test_folders_given_come_before_what_is_installed(tmp_path: Path) -> None:
    """An older version of a plugin is compared with the installed one."""
    (tmp_path / "coinswarm_mutants").mkdir()
    (tmp_path / "coinswarm_mutants" / "__init__.py").touch()
    (tmp_path / "coinswarm_mutants" / "older.py").write_text("class It:\n    def there(self): return True\n")
    with RemoteBench(Subject("older", "coinswarm_mutants.older:It"), paths=(str(tmp_path),)).link() as link:
        link.make()
        assert link.call("there")
