"""I: what an ingestor does when its source is slow, throttles, fails, lies, or is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from coinswarm.domain.health import Condition, Health
from coinswarm.domain.observation import START
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.ingestors import (
    CALLS,
    INGESTOR,
    PATIENCE_SECONDS,
    demand_only,
    demand_same,
    played,
    recording_of,
    run,
    streams,
    unbroken,
)
from coinswarm_testkit.play.payloads import NONSENSE, REWRITTEN
from coinswarm_testkit.play.player import Fault, Player
from coinswarm_testkit.play.recording import SECRET, SPELLINGS
from coinswarm_testkit.verdicts import CheckFailedError, CheckSkipped, Measured

if TYPE_CHECKING:
    from coinswarm_testkit.bench import Bench

PAUSE_SECONDS = 7
"""What a throttling source asks for: long enough that nobody waits it out unnoticed."""

UNTOLD = {
    "without Retry-After": {},
    "until a date": {"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"},
}
"""Other ways to throttle, which say no number of seconds."""

CANCEL_SECONDS = 1.0
HOSTILE_SECONDS = 5.0
AWAY_SECONDS = 1.0
AWAY_REQUESTS = 5
"""More requests than this to a source that is away, in one call or one second, are hammering."""


def rate_limited(bench: Bench) -> None:
    """I40: a 429 is told with the seconds that the source asks for, is not pushed against, and costs nothing."""
    unbroken(bench)
    throttled = Fault(status=429, headers={"retry-after": str(PAUSE_SECONDS)}, body=b'{"error": "slow down"}')
    for number in _numbers(bench):
        when = f"when request {number + 1} is throttled"
        with played(bench, faults={number: throttled}, cut=streams(bench) and number > 0) as (link, player):
            found = run(bench, link)
        if len(player.seen) <= number:
            break
        limited = [one for one in found.raised if "RateLimitedError" in one[2]]
        if not limited:
            kinds = ", ".join(kind for kind, *_ in found.raised) or "nothing"
            message = f"{when} it raised {kinds}, not RateLimitedError"
            raise CheckFailedError(message)
        if limited[0][3] != PAUSE_SECONDS:
            message = f"{when} for {PAUSE_SECONDS} s it asks for {limited[0][3]} s: pass on Retry-After"
            raise CheckFailedError(message)
        demand_only(found.raised, {"RetryableError"}, when)
        demand_same(found, bench, when)
    for name, headers in UNTOLD.items():
        with played(bench, faults={0: Fault(status=429, headers=headers, body=b"{}")}) as (link, _):
            found = run(bench, link)
        if not any("RateLimitedError" in one[2] for one in found.raised):
            kinds = ", ".join(kind for kind, *_ in found.raised) or "nothing"
            message = f"when a request is throttled {name} it raised {kinds}, not RateLimitedError"
            raise CheckFailedError(message)
    if streams(bench):
        return
    with played(bench, always=throttled) as (link, player):
        run(bench, link, calls=1)
    if len(player.seen) > 1:
        message = f"a throttled call makes {len(player.seen)} requests: raise, and core waits"
        raise CheckFailedError(message)


def source_fails(bench: Bench) -> None:
    """I45: 5xx, lost connections and truncated answers are retryable, and cost nothing."""
    unbroken(bench)
    faults = {
        "an answer 503": Fault(status=503, body=b"<html>unavailable</html>"),
        "an answer 500": Fault(status=500, body=b"{}"),
        "a lost connection": Fault(drop=True),
        "a truncated answer": Fault(truncate=True),
    }
    for number in _numbers(bench):
        for name, fault in faults.items():
            if streams(bench) and fault.truncate and number == 0:
                continue  # a handshake has no body
            with played(bench, faults={number: fault}, cut=streams(bench) and number > 0) as (link, player):
                found = run(bench, link)
            if len(player.seen) <= number:
                break
            demand_only(found.raised, {"RetryableError"}, f"after {name}")
            demand_same(found, bench, f"after {name}")


def _numbers(bench: Bench) -> tuple[int, ...]:
    """Of the requests that are meddled with: a stream's are two handshakes and what it fetches after the second."""
    return (0, 1, 2) if streams(bench) else (0, 1)


def hostile_payloads(bench: Bench) -> None:
    """I50: a payload that is none is told as PayloadError in good time, and nothing of it comes through."""
    unbroken(bench)
    if streams(bench):
        for name, payload in _hostile(bench):
            _given(bench, name, {"inserted": payload.decode("utf-8", "replace")})
        for name, payload in NONSENSE.items():
            fault = Fault(status=200, body=payload)
            if name != "null" and not _given(bench, f"{name} for what was missed", {"faults": {2: fault}, "cut": True}):
                break
        return
    for number in (0, 1):
        told = _begins_as_json_or_xml(bench)
        for name, payload in NONSENSE.items():
            _given(bench, name, {"faults": {number: Fault(status=200, body=payload)}}, told=told and name != "null")
        for name, rewrite in REWRITTEN.items():
            _given(bench, name, {"faults": {number: Fault(rewrite=rewrite)}})


def _given(bench: Bench, name: str, meddling: dict[str, Any], *, told: bool = False) -> bool:
    """Hold what comes of one hostile payload.

    :param told: whether something must be raised: no news and nonsense are not the same.
    :returns: whether the request was made that it answers.
    """
    begin = time.monotonic()
    with played(bench, **meddling) as (link, player):
        found = run(bench, link, patience=PATIENCE_SECONDS + HOSTILE_SECONDS)
    seconds = time.monotonic() - begin
    reached = all(number < len(player.seen) for number in player.faults)
    if not reached:
        return False
    demand_only(found.raised, {"PayloadError", "RetryableError"}, f"given {name}")
    demand_same(found, bench, f"given {name}")
    if seconds > HOSTILE_SECONDS:
        message = f"given {name} it takes {seconds:.1f} s, more than {HOSTILE_SECONDS:.0f}"
        raise CheckFailedError(message)
    if told and not found.raised:
        message = f"given {name} it raises nothing, as if there were no news: raise PayloadError"
        raise CheckFailedError(message)
    return True


def _begins_as_json_or_xml(bench: Bench) -> bool:
    """Whether the source speaks a language in which nonsense is no page without rows, as it may be in CSV."""
    return all(one.body.lstrip()[:1] in {b"{", b"[", b"<"} for one in recording_of(bench).exchanges)


def _hostile(bench: Bench) -> list[tuple[str, bytes]]:
    """Frames that nobody should choke on; some are a recorded one with its leaves replaced."""
    sock = recording_of(bench).socket
    true = max(sock.frames, key=len).encode() if sock is not None else b""
    spoilt = [(name, rewrite(true)) for name, rewrite in REWRITTEN.items()]
    return [*NONSENSE.items(), *((name, text) for name, text in spoilt if text != true)]


def reconnects(bench: Bench) -> None:
    """I60: after a lost connection the same object goes on: what was missed is fetched, or said as a hole."""
    if not streams(bench):
        message = "it is polled: there is no connection to lose"
        raise CheckSkipped(message)
    unbroken(bench)
    with played(bench, cut=True) as (link, _):
        found = run(bench, link)
    demand_only(found.raised, {"RetryableError"}, "when the connection is lost")
    demand_same(found, bench, "after a lost connection")


def does_not_hammer(bench: Bench) -> Measured:
    """I65: a source that is away is told to core, and not asked as fast as it can be."""
    with played(bench, always=Fault(status=503)) as (link, player):
        found = run(bench, link, calls=1, restarts=0, patience=AWAY_SECONDS)
        requests = len(player.seen)
    measured = Measured({"requests": requests}, {"requests": f"<= {AWAY_REQUESTS}"})
    if not found.raised and not streams(bench):
        message = "it says nothing of a source that is away, as if there were no news"
        raise CheckFailedError(message, measured)
    demand_only(found.raised, {"RetryableError"}, "while the source is away")
    if requests > AWAY_REQUESTS:
        message = f"it asks a source that is away {requests} times in one {'second' if streams(bench) else 'call'}"
        raise CheckFailedError(message, measured)
    if streams(bench):
        with played(bench, shut=True) as (link, player):
            run(bench, link, restarts=0, patience=AWAY_SECONDS)
        if len(player.seen) > AWAY_REQUESTS:
            message = f"it asks a source that hangs up at once {len(player.seen)} times in one second"
            raise CheckFailedError(message, measured)
    elif any(batch.more for batch in unbroken(bench).batches[-1:]):
        message = f"after {CALLS} calls it still says that there is more, and core asks again at once"
        raise CheckFailedError(message, measured)
    return measured


def cancelled(bench: Bench) -> Measured:
    """I70: a call ends within a second of being cancelled, and leaves nothing running."""
    recording = recording_of(bench)
    slowest, measured = 0.0, Measured()
    stall = Fault(stall=True)
    scenes: list[tuple[int, dict[str, Any]]] = [(1, {"always": stall})]
    if streams(bench):
        scenes.append((1, {}))
    elif _requests_of_a_call(bench) > 1:
        scenes.append((2, {"faults": {1: stall}}))
    for requests, meddling in scenes:
        with played(bench, **meddling) as (link, player):
            tasks = link.ask("ingestors.begun", cursor=START, streaming=streams(bench), now=recording.now)
            if not player.waited(requests, PATIENCE_SECONDS):
                message = f"it asks the source nothing within {PATIENCE_SECONDS:.0f} s"
                raise CheckFailedError(message)
            ended = link.ask("ingestors.ended")
        slowest = max(slowest, float(ended["seconds"]))
        measured = Measured({"seconds": round(slowest, 3)}, {"seconds": f"<= {CANCEL_SECONDS:g}"})
        if slowest > CANCEL_SECONDS:
            message = f"{slowest:.1f} s after it was cancelled {ended['how']}"
            raise CheckFailedError(message, measured)
        if ended["how"] != "it was cancelled":
            message = f"when it is cancelled {ended['how']}: let the cancellation through"
            raise CheckFailedError(message, measured)
        if ended["tasks"] > tasks:
            message = f"it leaves {ended['tasks'] - tasks} tasks running"
            raise CheckFailedError(message, measured)
    return measured


def _requests_of_a_call(bench: Bench) -> int:
    """How many requests the first poll makes."""
    with played(bench) as (link, player):
        run(bench, link, calls=1)
    return len(player.seen)


def secrets_kept(bench: Bench) -> None:
    """I80: its secret is in no log, print, warning, error, text, observation or cursor, whatever the source does."""
    recording = recording_of(bench)
    if not recording.secret:
        message = "its recording needs no secret"
        raise CheckSkipped(message)
    echo = f'{{"error": "key {SECRET} is not valid"}}'.encode()
    sent = False
    with Player(recording) as elsewhere:
        away = Fault(status=307, headers={"location": f"{elsewhere.addresses['http']}/elsewhere"}, body=b"{}")
        scenes: dict[str, dict[str, Any]] = {
            "while all is well": {},
            "when the source fails": {"always": Fault(status=500, body=echo)},
            "when the key is refused": {"always": Fault(status=401, body=echo)},
            "when the connection is lost": {"faults": {0: Fault(drop=True)}},
            "when the payload is none": {"faults": {0: Fault(status=200, body=echo)}},
            "when the source is said to have moved": {"always": away},
        }
        for when, meddling in scenes.items():
            found, player = _leaks(bench, meddling)
            sent = sent or _sent(player)
            if found:
                message = f"{when}, its secret can be read in {found[0]}"
                raise CheckFailedError(message)
            if _sent(elsewhere):
                message = f"{when}, its secret is sent to the new address: follow no redirection with it"
                raise CheckFailedError(message)
    if not sent:
        message = "it never sends the secret that its recording gives it: this check could show nothing"
        raise CheckFailedError(message)


def _leaks(bench: Bench, meddling: dict[str, Any]) -> tuple[list[str], Player]:
    """Where the secret can be read after a run, and the player of that run."""
    recording = recording_of(bench)
    arguments = {"now": recording.now, "calls": 3, "until": len(recording.observations), "patience": 2.0}
    with played(bench, **meddling) as (link, player):
        way = "stream" if streams(bench) else "fetch"
        found: list[str] = link.ask("ingestors.leaks", secrets=SPELLINGS, run=way, arguments=arguments)
        printed = any(secret in link.output() for secret in SPELLINGS)
    return [*found, *(["what it prints"] if printed else [])], player


def _sent(player: Player) -> bool:
    """Whether a request held the secret: in its address, its headers or its body."""
    texts = [text for one in player.seen for text in (one.target, one.headers, one.body)]
    return any(secret in text for secret in SPELLINGS for text in texts)


def refused_key(bench: Bench) -> None:
    """I85: a key that the source refuses is the operator's affair: OperatorError, not another try."""
    recording = recording_of(bench)
    if not recording.secret:
        message = "its recording needs no secret"
        raise CheckSkipped(message)
    for status in (401, 403):
        with played(bench, always=Fault(status=status, body=b'{"error": "refused"}')) as (link, _):
            found = run(bench, link, calls=1, restarts=0, patience=AWAY_SECONDS)
        if not found.raised:
            message = f"an answer {status} raises nothing"
            raise CheckFailedError(message)
        demand_only(found.raised, {"OperatorError"}, f"after an answer {status}")


def tells_its_health(bench: Bench) -> None:
    """I90: health is told at any time without asking the source, and is not good while the source fails."""
    with played(bench, always=Fault(status=503)) as (link, player):
        _demand_health(link.ask("ingestors.health"))
        if player.seen:
            message = "health asks the source: tell what is known"
            raise CheckFailedError(message)
        run(bench, link, calls=1, restarts=0, patience=AWAY_SECONDS)
        found = _demand_health(link.ask("ingestors.health"))
    if found.condition is Condition.GOOD:
        message = "health is good after a call to a source that answers 503"
        raise CheckFailedError(message)
    with played(bench) as (link, _):
        run(bench, link)
        found = _demand_health(link.ask("ingestors.health"))
    if found.condition is not Condition.GOOD:
        message = f"health is {found.condition} ({found.reason}) while all is well"
        raise CheckFailedError(message)


def _demand_health(answer: object) -> Health:
    if not isinstance(answer, Health):
        message = f"health answers {answer!r}, not a Health"
        raise CheckFailedError(message)
    return answer


CHECKS = (
    Check("I40", "rate limits are passed on", 7, rate_limited, INGESTOR),
    Check("I45", "a source that fails costs nothing", 7, source_fails, INGESTOR),
    Check("I50", "hostile payloads are refused", 7, hostile_payloads, INGESTOR, safety=True),
    Check("I60", "a lost connection costs nothing, or a hole is told", 7, reconnects, INGESTOR, safety=True),
    Check("I65", "a source that is away is told, not hammered", 7, does_not_hammer, INGESTOR),
    Check("I70", "ends within a second of being cancelled", 4, cancelled, INGESTOR),
    Check("I80", "secrets are kept", 3, secrets_kept, INGESTOR, safety=True),
    Check("I85", "a refused key is told to the operator", 7, refused_key, INGESTOR),
    Check("I90", "tells its health", 7, tells_its_health, INGESTOR),
)
