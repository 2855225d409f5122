"""N: what a bus carries, to whom, in what order, and what it refuses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from coinswarm.domain.stored import Message
from coinswarm.ports import MAX_MESSAGE
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.drivers import answer_of, arena, behind, demand, demand_raised, lifecycle, sound
from coinswarm_testkit.verdicts import CheckFailedError
from coinswarm_testkit.worker.place import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.subject import Kind

BUS: frozenset[Kind] = frozenset({"bus"})
MANY = 500
PATIENCE_SECONDS = 5.0
ATTEMPTS = 7
GROWTH = 3.0
"""Where pauses double, each cut by up to a half, the last two of six are at least four times the first two."""
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


def play_behind(bench: Bench, *lines: tuple[Any, ...]) -> tuple[list[Any], dict[str, list[bytes]], list[str]]:
    """As ``play``, on a bus whose connection the lines can cut."""
    with behind(bench) as (settings, through, server), bench.link() as link:
        found = link.ask(
            "buses.behind", settings=settings, through=through, server=server, lines=lines, patience=PATIENCE_SECONDS
        )
    heard = {name: [message.data for message in messages] for name, messages in found["heard"].items()}
    return [answer_of(row) for row in found["told"]], heard, list(found["errors"])


def reconnects(bench: Bench) -> None:
    """N55: a lost connection is told, nothing is sent until it is back, and then every subscription is, as it was."""
    lines: dict[str, tuple[Any, ...]] = {
        "listening to errors": ("listen_to_errors",),
        "subscribing": ("subscribe", "it", "a"),
        "subscribing in a group": ("subscribe", "one", "work", "g"),
        "subscribing once more": ("subscribe", "left", "a"),
        "unsubscribing": ("leave", "left"),
        "answering": ("answer", "echo", "ask"),
        "another subscribes": ("far", "subscribe", "far", "b"),
        "another joins the group": ("far", "subscribe", "two", "work", "g"),
        "another publishes": ("far", "publish", "a", b"first"),
        "waiting": ("wait", {"it": 1}),
        "cutting": ("cut",),
        "LOST": ("until_refused", "b", b"unsure"),
        "a message while the connection is lost": ("publish", "b", b"refused"),
        "a batch while the connection is lost": ("batch", [Message("b", b"refused")]),
        "a request while the connection is lost": ("request", "b", b"refused", 1.0),
        "a subscription while the connection is lost": ("subscribe", "late", "a"),
        "another publishes meanwhile": ("far", "publish", "a", b"missed"),
        "mending": ("mend",),
        "BACK": ("until_sent", "b", b"back"),
        "HEARS": ("until_heard", "it", "a"),
        "sharing": ("far", "many", "work", 0, 20),
        "a request to who was away": ("far", "request", "ask", b"hello", 2.0),
        "waiting again": ("far", "wait", {"far": 1}),
    }
    answers, heard, errors = play_behind(bench, *lines.values())
    told = dict(zip(lines, answers, strict=False))
    for what, answer in told.items():
        if "is lost" in what:
            demand_raised(answer, "UnreachableError", what)
        else:
            sound([answer], what)
    for line, what in (
        ("waiting", "a subscription hears another bus before the connection is cut"),
        ("LOST", "publishing is refused once the connection was cut"),
        ("BACK", "it publishes again once the connection can be made"),
        ("HEARS", "a subscription hears again without being made again"),
    ):
        if not told.get(line, True):
            message = f"it does not come about within {PATIENCE_SECONDS:g} s that {what}"
            raise CheckFailedError(message)
    if not any(error.partition(":")[0] in {"UnreachableError", "RetryableError"} for error in errors):
        message = f"a lost connection is told to nobody who asked for errors (told was {errors})"
        raise CheckFailedError(message)
    if b"refused" in heard["far"]:
        message = "a message that was refused with UnreachableError was sent all the same, when the connection was back"
        raise CheckFailedError(message)
    demand(heard["far"].count(b"back"), 1, "how often a message published after the connection was back is heard")
    again = [data for data in heard["it"] if data not in {b"first", b"missed"}]
    demand(
        again, sorted(set(again), key=int), "what a subscription hears when the connection is back, once and in order,"
    )
    demand(heard["left"], [], "what a subscription hears that was ended before the connection was lost")
    shared = sorted([*heard["one"], *heard["two"]], key=int)
    _demand_heard(shared, [b"%d" % number for number in range(20)], "a queue group, after one of it was away,")


def backs_off(bench: Bench) -> None:
    """N60: the pauses between attempts to connect to a server that is away grow."""
    answers, _, _ = play_behind(bench, ("cut",), ("attempts", ATTEMPTS))
    _, gaps = sound(answers, "waiting for attempts to connect")
    if len(gaps) < ATTEMPTS - 1:
        message = (
            f"it tried to connect {len(gaps) + 1} times within {PATIENCE_SECONDS:g} s: a trial asks for short pauses"
        )
        raise CheckFailedError(message)
    if sum(gaps[-2:]) < GROWTH * sum(gaps[:2]):
        shown = ", ".join(f"{gap:.3f}" for gap in gaps)
        message = f"the pauses between {ATTEMPTS} attempts to connect do not grow: {shown} s"
        raise CheckFailedError(message)


def nobody_there(bench: Bench) -> None:
    """N65: where nobody listens opening raises UnreachableError, which names the address."""
    with behind(bench) as (_, through, _server), bench.link() as link:
        found = link.ask("buses.nobody", through=through)
    answer = answer_of(found["told"])
    demand_raised(answer, "UnreachableError", "opening it where nobody listens")
    if found["address"] not in answer.text:
        message = f"what is told of a server that is not there does not name its address {found['address']}: {answer}"
        raise CheckFailedError(message)


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
    Check("N55", "a lost connection is told and made again", 7, reconnects, BUS),
    Check("N60", "a server that is away is asked less and less often", 7, backs_off, BUS),
    Check("N65", "a server that is not there is named", 7, nobody_there, BUS),
)
