"""N: what a bus carries, to whom, in what order, and what it refuses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from coinswarm.domain.stored import Message
from coinswarm.ports import MAX_MESSAGE
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.drivers import answer_of, arena, demand, demand_raised, lifecycle, sound
from coinswarm_testkit.verdicts import CheckFailedError
from coinswarm_testkit.worker.place import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.subject import Kind

BUS: frozenset[Kind] = frozenset({"bus"})
MANY = 500
PATIENCE_SECONDS = 5.0
NO_SUBJECTS = ("", ".", "a.", ".a", "a..b", "a b", "a.*", "a.>", "*", ">", "a\nb", "a\r\nPUB b")
NO_PATTERNS = ("", "a.", "a..b", "a.>.b", "a b", ">.a", "a\nb", "a*")
NO_GROUPS = ("a b", "a.b", "*", "a\nb")


def play(bench: Bench, *lines: tuple[Any, ...]) -> tuple[list[Any], dict[str, list[bytes]], list[str]]:
    """What each line answers, what each subscriber heard, and the errors that were told."""
    with arena(bench) as settings, bench.link() as link:
        found = link.ask("buses.scene", settings=settings, lines=lines, patience=PATIENCE_SECONDS)
    heard = {name: [message.data for message in messages] for name, messages in found["heard"].items()}
    return [answer_of(row) for row in found["told"]], heard, list(found["errors"])


def _demand_heard(found: Sequence[bytes], expected: Sequence[bytes], who: str) -> None:
    """Fail at the first message that is lost, repeated or out of order."""
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        if one != other:
            message = f"{who} hears {one[:40]!r} as message {number + 1}, but must hear {other[:40]!r}"
            raise CheckFailedError(message)
    if len(found) != len(expected):
        message = f"{who} hears {len(found)} messages, but must hear {len(expected)}"
        raise CheckFailedError(message)


def carries_in_order(bench: Bench) -> None:
    """N10: every subscriber hears every message once, in the order of its publisher, byte for byte."""
    numbers = [b"%d" % number for number in range(MANY)]
    odd = [b"", b"\0\xff\r\n", b"MSG a 1 2\r\n", bytes(range(256)), b"x" * MAX_MESSAGE]
    answers, heard, _ = play(
        bench,
        ("subscribe", "one", "market.ticks"),
        ("subscribe", "two", "market.ticks"),
        ("many", "market.ticks", 0, MANY),
        *(("publish", "market.ticks", data) for data in odd),
        ("wait", {"one": MANY + len(odd), "two": MANY + len(odd)}),
    )
    sound(answers, "publishing and subscribing")
    for who in ("one", "two"):
        _demand_heard(heard[who], [*numbers, *odd], f"subscriber {who}")


def subjects_and_patterns(bench: Bench) -> None:
    """N15: patterns cover what their words say; what is no subject, pattern or group, or is too long, is refused."""
    patterns = {"exact": "a.b", "star": "a.*", "rest": "a.>", "all": ">", "middle": "*.b.*", "other": "a.bb"}
    sent = ("a", "a.b", "a.c", "a.b.c", "x.b.c", "A.b")
    covered = {
        "exact": {"a.b"}, "star": {"a.b", "a.c"}, "rest": {"a.b", "a.c", "a.b.c"}, "all": set(sent),
        "middle": {"a.b.c", "x.b.c"}, "other": set(),
    }  # fmt: skip
    answers, heard, _ = play(
        bench,
        *(("subscribe", name, pattern) for name, pattern in patterns.items()),
        *(("publish", subject, subject.encode()) for subject in sent),
        ("wait", {name: len(subjects) for name, subjects in covered.items()}),
    )
    sound(answers, "publishing and subscribing")
    for name, subjects in covered.items():
        _demand_heard(heard[name], [s.encode() for s in sent if s in subjects], f"pattern {patterns[name]!r}")
    bad: list[tuple[Any, ...]] = [("publish", subject, b"") for subject in NO_SUBJECTS]
    bad += [("publish", "a", b"x" * (MAX_MESSAGE + 1)), ("publish", "a", b"", "no reply")]
    bad += [("subscribe", "bad", pattern) for pattern in NO_PATTERNS]
    bad += [("subscribe", "bad", "a", group) for group in NO_GROUPS]
    answers, _, _ = play(bench, *bad)
    for line, answer in zip(bad, answers, strict=True):
        shown = ", ".join(repr(part)[:40] for part in line[1:] if part != "bad")
        demand_raised(answer, "ValueError", f"{line[0]}({shown})")


def unsubscribes(bench: Bench) -> None:
    """N20: a subscription counts from when it was made until it was ended; ending it again is no error."""
    answers, heard, _ = play(
        bench,
        ("many", "a", 0, 3),
        ("subscribe", "it", "a"),
        ("subscribe", "stays", "a"),
        ("many", "a", 3, 6),
        ("wait", {"it": 3, "stays": 3}),
        ("leave", "it"),
        ("many", "a", 6, 9),
        ("leave", "it"),
        ("wait", {"stays": 6}),
    )
    sound(answers, "subscribing, publishing and unsubscribing")
    _demand_heard(heard["it"], [b"3", b"4", b"5"], "a subscriber from message 3 to 5")
    _demand_heard(heard["stays"], [b"%d" % number for number in range(3, 9)], "a subscriber from message 3 on")


def queue_groups(bench: Bench) -> None:
    """N25: of a queue group one member hears each message, also when members leave; others hear all."""
    numbers = [b"%d" % number for number in range(60)]
    answers, heard, _ = play(
        bench,
        ("subscribe", "a1", "work", "a"),
        ("subscribe", "a2", "work", "a"),
        ("subscribe", "b1", "work", "b"),
        ("subscribe", "all", "work"),
        ("many", "work", 0, 40),
        ("wait", {"b1": 40, "all": 40}),
        ("leave", "a1"),
        ("many", "work", 40, 60),
        ("wait", {"b1": 60, "all": 60}),
    )
    sound(answers, "sharing a subject in groups")
    for who in ("b1", "all"):
        _demand_heard(heard[who], numbers, f"subscriber {who}, alone in its place,")
    shared = sorted([*heard["a1"], *heard["a2"]], key=int)
    _demand_heard(shared, numbers, "a queue group of two together")
    if heard["a2"][-20:] != numbers[40:]:
        message = "when one of two members of a queue group left, the other does not hear what follows"
        raise CheckFailedError(message)


def requests(bench: Bench) -> None:
    """N30: a request gets the first answer to it and no other's; nobody there, and no answer in time, are told."""
    begin = time.monotonic()
    answers, _, _ = play(
        bench,
        ("answer", "echo", "ask"),
        ("subscribe", "deaf", "silent"),
        ("request", "ask", b"hello", 2.0),
        ("requests", "ask", 20, 2.0),
        ("request", "nobody", b"", 2.0),
        ("request", "silent", b"", 0.2),
    )
    seconds = time.monotonic() - begin
    sound(answers[:4], "asking somebody who answers")
    found = answers[2].data if isinstance(answers[2], Message) else answers[2]
    demand(found, b"echo:hello", "the answer to a request")
    demand(answers[3], [b"echo:%d" % number for number in range(20)], "the answers to 20 requests at once")
    demand_raised(answers[4], "UnreachableError", "a request to a subject that nobody is subscribed to")
    demand_raised(answers[5], "AmbiguousError", "a request that nobody answers within 0.2 s")
    if seconds > PATIENCE_SECONDS:
        message = f"these requests took {seconds:.1f} s: one that nobody answers must end in its time"
        raise CheckFailedError(message)


def batches(bench: Bench) -> None:
    """N35: a batch comes in order and whole; with one bad message in it, none is sent."""
    good = [Message("a", b"%d" % number) for number in range(50)]
    bad = [Message("a", b"before"), Message("not a subject", b""), Message("a", b"after")]
    answers, heard, _ = play(
        bench,
        ("subscribe", "it", "a"),
        ("batch", bad),
        ("batch", good),
        ("batch", []),
        ("wait", {"it": 50}),
    )
    demand_raised(answers[1], "ValueError", "a batch with a message to 'not a subject'")
    sound(answers[2:], "publishing a batch")
    _demand_heard(heard["it"], [one.data for one in good], "who listens to a batch")


def errors_told(bench: Bench) -> None:
    """N40: a handler that raises is told to whoever asked for errors, and hears the next message all the same."""
    answers, heard, errors = play(
        bench,
        ("listen_to_errors", "raising"),
        ("listen_to_errors",),
        ("fail", "it", "a"),
        ("subscribe", "other", "a"),
        *(("publish", "a", data) for data in (b"1", b"raise", b"2")),
        ("wait", {"it": 2, "other": 3}),
    )  # fmt: skip
    sound(answers[2:], "publishing to a handler that raises")
    _demand_heard(heard["it"], [b"1", b"2"], "a handler that raised once")
    _demand_heard(heard["other"], [b"1", b"raise", b"2"], "a subscriber beside it")
    told = [error for error in errors if "it cannot handle this" in error]
    if len(told) != 2:  # noqa: PLR2004 - two listeners
        message = f"a handler's error was told {len(told)} times to two listeners, of which the first raises"
        raise CheckFailedError(message)


def slow_subscribers(bench: Bench) -> None:
    """N50: a handler that does not end keeps nobody else from hearing, and loses nothing within its limit."""
    answers, heard, _ = play(
        bench,
        ("stuck", "slow", "a"),
        ("subscribe", "quick", "a"),
        ("many", "a", 0, 100),
        ("wait", {"quick": 100}),
        ("release", "slow"),
        ("wait", {"slow": 100}),
    )
    sound(answers, "publishing past a slow subscriber")
    numbers = [b"%d" % number for number in range(100)]
    _demand_heard(heard["quick"], numbers, "a subscriber beside a slow one")
    _demand_heard(heard["slow"], numbers, "a slow subscriber")


CHECKS = (
    Check("N10", "carries every message once, in order", 1, carries_in_order, BUS),
    Check("N15", "subjects and patterns mean what they say", 2, subjects_and_patterns, BUS),
    Check("N20", "a subscription has a begin and an end", 2, unsubscribes, BUS),
    Check("N25", "a queue group shares", 2, queue_groups, BUS),
    Check("N30", "requests are answered, or it is told why not", 2, requests, BUS),
    Check("N35", "batches are whole and in order", 1, batches, BUS),
    Check("N40", "errors of handlers are told", 7, errors_told, BUS),
    Check("N45", "opened, left, and nothing runs on", 7, lifecycle("N45", Step("publish", ("a", b""))), BUS),
    Check("N50", "a slow subscriber slows nobody", 7, slow_subscribers, BUS),
)
