"""B: what a broker does with orders at a venue that fails at the worst moment."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from coinswarm.domain.observation import START, Cursor
from coinswarm.domain.order import OrderKind, RiskApproved
from coinswarm.domain.trading import AccountReport, FillReport, OrderReport, OrderState, Ticket
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.drivers import arena, demand, demand_raised, lifecycle, scene, sound
from coinswarm_testkit.play.player import Fault
from coinswarm_testkit.play.recording import SECRET
from coinswarm_testkit.venue.books import Books
from coinswarm_testkit.venue.plain import PlainVenue, Trouble
from coinswarm_testkit.verdicts import CheckFailedError, Measured, PluginRaisedError
from coinswarm_testkit.worker.place import Raised, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.subject import Kind

BROKER: frozenset[Kind] = frozenset({"broker"})
SYMBOL = "BTC/USD"
ONE = Decimal("1.000")
PAUSE_SECONDS = 7
PATIENCE_SECONDS = 5.0
CANCEL_SECONDS = 1.0
DROP = Fault(drop=True)


class Trial:
    """A venue, and fresh brokers at it.

    :param bench: what is judged.
    """

    def __init__(self, bench: Bench, venue: PlainVenue, settings: dict[str, Any], link: Any) -> None:  # noqa: ANN401 - a link
        self.bench, self.venue, self.settings, self.link = bench, venue, settings, link

    def do(self, *steps: Step | Sequence[Step]) -> list[Any]:
        """What a fresh broker answers to each step, or ``Raised``."""
        return scene(self.link, self.settings, *steps)

    def trouble(self, kind: str, *faults: Fault, done: bool = False) -> None:
        """Have the next requests of a kind fail."""
        self.venue.trouble[kind] = [Trouble(fault, done=done) for fault in faults]


@contextmanager
def trial(bench: Bench, books: Books | None = None) -> Iterator[Trial]:
    """A venue on loopback, and the settings to reach it."""
    venue = PlainVenue(books or Books(), key=SECRET)
    with venue, arena(bench, venue=venue.url, secret=SECRET) as settings, bench.link() as link:
        yield Trial(bench, venue, settings, link)


def limit(client_id: str, quantity: Decimal = ONE, side: int = 1) -> Ticket:
    """An order that rests."""
    return Ticket(
        client_id=client_id, symbol=SYMBOL, side=side, quantity=quantity, kind=OrderKind.LIMIT, limit=Decimal("90.5")
    )


def market(client_id: str, quantity: Decimal = ONE) -> Ticket:
    """An order that trades at once."""
    return Ticket(client_id=client_id, symbol=SYMBOL, side=1, quantity=quantity)


def submit(ticket: Ticket) -> Step:
    """Send an order."""
    return Step("submit", (RiskApproved(ticket),))


def ask(method: str, client_id: str) -> Step:
    """Cancel an order, or ask how it stands."""
    return Step(method, (client_id, SYMBOL))


def fills(after: Cursor = START) -> Step:
    """Read fills."""
    return Step("fills", (after,))


def _report(answer: object, what: str) -> OrderReport:
    """An answer, which must be an order."""
    if not isinstance(answer, OrderReport):
        message = f"{what} is answered with {answer!r:.200}, not with an OrderReport"
        raise CheckFailedError(message)
    return answer


def _demand_state(answer: object, state: OrderState, filled: Decimal | int, what: str) -> OrderReport:
    """Fail unless an order stands as it must."""
    found = _report(answer, what)
    demand((found.state, found.filled), (state, Decimal(filled)), f"the state of {what}")
    return found


def orders_and_fills(bench: Bench) -> None:
    """B10: a resting order rests, a market order fills, and what is told of both is what the venue did."""
    with trial(bench) as at:
        answers = at.do(submit(limit("a-1")), submit(market("a-2")), fills(), ask("order", "a-1"), ask("order", "no"))
        sound(answers, "sending orders and asking for them")
        orders, trades = at.venue.books.orders, at.venue.books.fills
        demand(answers[0], orders.get("a-1"), "a resting order")
        demand(answers[1], orders.get("a-2"), "a market order")
        demand(answers[3], orders.get("a-1"), "an order that was asked for")
        demand(answers[4], None, "an order that the venue does not have")
        demand(list(answers[2][0]), trades, "the fills")


def idempotent(bench: Bench) -> None:
    """B15: the same ticket again, at once, later or from another process, is the same order; it trades once."""
    with trial(bench) as at:
        [first] = sound(at.do(submit(market("a-1"))), "sending an order")
        again = sound(at.do(submit(market("a-1")), submit(market("a-1"))), "sending an order again")
        at_once = sound(at.do([submit(limit("a-2")) for _ in range(4)]), "sending an order four times at the same time")
        for answer in again:
            demand(answer, first, "an order that was sent again")
        for answer in at_once:
            demand(answer, at.venue.books.orders.get("a-2"), "an order that was sent four times")
        demand(at.venue.books.accepted, 2, "the number of orders at the venue")
        with bench.link(COINSWARM_TRIAL="2") as other:
            answers = scene(other, at.settings, submit(market("a-1")), submit(market("a-1", 2 * ONE)))
        demand(answers[0], first, "an order that another process sent again")
        demand_raised(answers[1], "InvariantError", "another order under a client id that is taken")
        demand(at.venue.books.accepted, 2, "the number of orders at the venue")


def ambiguous(bench: Bench) -> None:
    """B20: no answer to an order is ambiguous, never tried again inside, and cleared up by asking."""
    faults = {
        "a lost connection": DROP,
        "an answer 500": Fault(status=500, body=b"{}"),
        "nonsense": Fault(body=b"<html>"),
    }
    for name, fault in faults.items():
        for done in (True, False):
            with trial(bench) as at:
                at.trouble("POST /orders", fault, done=done)
                [answer, found] = at.do(submit(limit("a-1")), ask("order", "a-1"))
                where = f"{name} after the venue {'took' if done else 'did not take'} an order"
                demand_raised(answer, "AmbiguousError", where)
                demand(at.venue.count("POST /orders"), 1, f"how often an order is sent after {name}")
                demand(found, at.venue.books.orders.get("a-1"), f"what the broker finds after {where}")
                sound(at.do(submit(limit("a-1"))), "sending it again")
                demand(at.venue.books.accepted, 1, f"the number of orders at the venue after {where}")


def unreachable(bench: Bench) -> None:
    """B25: a venue that cannot be reached has no order: UnreachableError, when it is opened or later."""
    with trial(bench) as at:
        at.venue.stop()
        try:
            [answer] = at.do(submit(limit("a-1")))
        except PluginRaisedError as error:  # it asks the venue when it is opened
            answer = Raised(error.kind, error.text, error.bases)
        demand_raised(answer, "UnreachableError", "a venue that refuses connections")


def rejected(bench: Bench) -> None:
    """B30: the venue's refusal of an order is an answer with its reason, and no order works."""
    with trial(bench) as at:
        answers = at.do(submit(limit("a-1", Decimal("0.0005"))), Step("open_orders"))
        sound(answers, "sending an order that the venue refuses")
        found = _demand_state(answers[0], OrderState.REJECTED, 0, "an order that the venue refuses")
        demand(found.client_id, "a-1", "the client id of an order that the venue refuses")
        if "0.0005" not in found.reason:
            message = f"the reason of a refused order is {found.reason!r}: pass on the venue's words"
            raise CheckFailedError(message)
        demand(list(answers[1]), [], "what works after a refusal")


def cancels(bench: Bench) -> None:
    """B35: cancelling tells how the order stands then: it may have been filled; again is no error; none is None."""
    with trial(bench) as at:
        sound(at.do(*(submit(limit(name)) for name in ("plain", "part", "race"))), "sending orders")
        demand(sorted(at.venue.books.orders), ["part", "plain", "race"], "the client ids at the venue")
        at.venue.books.trade("part", Decimal("0.4"))
        answers = at.do(ask("cancel", "plain"), ask("cancel", "plain"), ask("cancel", "part"), ask("cancel", "no"))
        sound(answers, "cancelling")
        _demand_state(answers[0], OrderState.CANCELLED, 0, "an order that was cancelled")
        _demand_state(answers[1], OrderState.CANCELLED, 0, "an order that was cancelled twice")
        _demand_state(answers[2], OrderState.CANCELLED, Decimal("0.4"), "a part-filled order that was cancelled")
        demand(answers[3], None, "cancelling an order that the venue does not have")
        at.venue.before["DELETE /orders"] = lambda: at.venue.books.trade("race", ONE)
        answers = at.do(ask("cancel", "race"), ask("order", "race"))
        sound(answers, "cancelling an order that is filled just before")
        for answer in answers:
            _demand_state(answer, OrderState.FILLED, ONE, "an order that was filled just before its cancel came")
        at.venue.books.submit(limit("lost"))
        at.trouble("DELETE /orders", DROP, done=True)
        answers = at.do(ask("cancel", "lost"), ask("order", "lost"))
        demand_raised(answers[0], "RetryableError", "a cancel whose answer is lost")
        _demand_state(answers[1], OrderState.CANCELLED, 0, "an order whose cancel's answer was lost")


def network_is_no_answer(bench: Bench) -> None:
    """B40: open orders and the state of one come from the venue whole, or as an error: never as 'gone'."""
    names = [f"a-{number}" for number in range(7)]
    with trial(bench) as at:
        sound(at.do(*(submit(limit(name)) for name in names)), "sending seven orders")
        [whole] = sound(at.do(Step("open_orders")), "asking for open orders")
        demand([one.client_id for one in whole], names, "the open orders, by venue id,")
        for fault in (DROP, Fault(status=503, body=b"{}"), Fault(body=b"[]"), Fault(body=b"{}"), Fault(status=404)):
            at.trouble("GET /open", Fault(), fault)
            at.venue.trouble["GET /open"][0] = Trouble(Fault(), done=True)
            [answer] = at.do(Step("open_orders"))
            demand_raised(answer, "RetryableError", f"the second page of open orders failing ({_name(fault)})")
        for fault in (DROP, Fault(status=503, body=b"{}"), Fault(body=b"[]"), Fault(body=b"{}")):
            at.trouble("GET /orders", fault)
            [answer] = at.do(ask("order", names[0]))
            demand_raised(answer, "RetryableError", f"asking for an order and failing ({_name(fault)})")


def _name(fault: Fault) -> str:
    """A fault in a message."""
    return "connection lost" if fault.drop else f"answer {fault.status}" if fault.status else f"answer {fault.body!r}"


def reads_on(bench: Bench) -> None:
    """B45: fills come oldest first, part by part, and reading on skips none and repeats none, in any process."""
    with trial(bench, Books(slices=(Decimal("0.3"), Decimal("0.3")))) as at:
        sound(at.do(*(submit(market(f"a-{number}")) for number in range(3))), "sending orders that fill in parts")
        found: list[FillReport] = []
        cursor = START
        for number in range(20):
            if number == 2:  # noqa: PLR2004 - in the middle of reading
                at.venue.books.submit(market("late"))
            [(page, cursor)] = sound(at.do(fills(cursor)), "reading fills")
            found += page
            if not page:
                break
        demand([one.trade_id for one in found], [one.trade_id for one in at.venue.books.fills], "the fills, in order,")
        demand(found, at.venue.books.fills, "what is told of the fills")
        at.trouble("GET /fills", DROP)
        demand_raised(at.do(fills(cursor))[0], "RetryableError", "reading fills over a lost connection")


def account(bench: Bench) -> None:
    """B50: balances, rights and the venue's clock are told as they are."""
    with trial(bench, Books(rights=("read", "trade", "withdraw"))) as at:
        [found] = sound(at.do(Step("account")), "asking for the account")
        if not isinstance(found, AccountReport):
            message = f"account answers {found!r:.200}, not an AccountReport"
            raise CheckFailedError(message)
        balances = [(one.asset, one.free, one.held) for one in found.balances]
        wanted = [("BTC", Decimal(2), Decimal("0.5")), ("USD", Decimal("1000.10"), Decimal(0))]
        demand(balances, wanted, "the balances")
        demand(found.rights and set(found.rights), {"read", "trade", "withdraw"}, "what the key may do")
        away = abs((found.at - at.venue.books.now()).total_seconds())
        if away > 1:
            message = f"the account's time is {away:g} s from the venue's clock: take it from the answer"
            raise CheckFailedError(message)


def watches(bench: Bench) -> Measured:
    """B55: what happens is pushed; a lost connection is told as retryable; cancelled, it ends within a second."""
    with trial(bench) as at:
        at.link.ask("brokers.watching", settings=at.settings)
        if not at.venue.watched(PATIENCE_SECONDS):
            message = f"it does not ask for events: {at.link.ask('brokers.stopped', cancel=True, seconds=1.0)['how']}"
            raise CheckFailedError(message)
        at.venue.books.submit(limit("a-1"))
        at.venue.books.trade("a-1", Decimal("0.4"))
        at.venue.books.trade("a-1", Decimal("0.6"))
        told = at.link.ask("brokers.told", count=len(at.venue.books.events), seconds=PATIENCE_SECONDS)
        missing = [one for one in at.venue.books.events if one not in told]
        if missing:
            message = f"of {len(at.venue.books.events)} events {len(missing)} are not told, the first {missing[0]}"
            raise CheckFailedError(message)
        orders = [one for one in told if isinstance(one, OrderReport)]
        if [one.filled for one in orders] != sorted(one.filled for one in orders):
            message = "an order's reports are not told in order"
            raise CheckFailedError(message)
        ended = at.link.ask("brokers.stopped", cancel=True, seconds=0.0)
        measured = Measured({"seconds": round(ended["seconds"], 3)}, {"seconds": f"<= {CANCEL_SECONDS:g}"})
        if ended["how"] != "it was cancelled" or ended["seconds"] > CANCEL_SECONDS:
            message = f"{ended['seconds']:.1f} s after watching was cancelled: {ended['how']}"
            raise CheckFailedError(message, measured)
    with trial(bench) as at:
        at.link.ask("brokers.watching", settings=at.settings)
        at.venue.watched(PATIENCE_SECONDS)
        at.venue.stop()
        ended = at.link.ask("brokers.stopped", cancel=False, seconds=PATIENCE_SECONDS)
        if "RetryableError" not in ended["bases"]:
            message = f"when the connection is lost, watching ends with {ended['how']}, not a RetryableError"
            raise CheckFailedError(message, measured)
    return measured


def throttled(bench: Bench) -> None:
    """B60: a 429 is told with its seconds, and no order is sent behind it."""
    with trial(bench) as at:
        at.trouble("POST /orders", Fault(status=429, headers={"retry-after": str(PAUSE_SECONDS)}, body=b"{}"))
        [answer, found] = at.do(submit(limit("a-1")), ask("order", "a-1"))
        demand_raised(answer, "RateLimitedError", "an order that is throttled")
        demand(at.venue.count("POST /orders"), 1, "how often a throttled order is sent")
        demand(found, None, "an order that was throttled")


def secrets_kept(bench: Bench) -> None:
    """B65: a refused key is the operator's affair, and no error or text shows it."""
    with trial(bench) as at:
        sent = at.do(submit(limit("a-1")))
        sound(sent, "sending an order")
        if not any(SECRET in one for one in at.venue.headers):
            message = "its trial never sends the secret: this check could show nothing"
            raise CheckFailedError(message)
        echo = f'{{"error": "key {SECRET}"}}'.encode()
        texts = []
        for status in (401, 403, 500):
            for kind, step in (("POST /orders", submit(limit("a-2"))), ("GET /orders", ask("order", "a-1"))):
                at.trouble(kind, Fault(status=status, body=echo))
                [answer] = at.do(step)
                demand_raised(answer, "RetryableError" if status == 500 else "OperatorError", f"an answer {status}")  # noqa: PLR2004 - HTTP
                texts.append(str(answer))
        if any(SECRET in text for text in texts) or SECRET in at.link.output():
            message = "its secret can be read in an error"
            raise CheckFailedError(message)


_CLOSED = lifecycle("B70", Step("open_orders"))


def opened_and_left(bench: Bench) -> None:
    """B70: outside ``async with`` it does nothing, inside its health is good, and nothing runs on."""
    with trial(bench) as at:
        _CLOSED(bench, settings=at.settings)


CHECKS = (
    Check("B10", "orders and fills are as at the venue", 2, orders_and_fills, BROKER),
    Check("B15", "the same order twice trades once", 3, idempotent, BROKER, safety=True),
    Check("B20", "no answer is ambiguous, and never tried again", 3, ambiguous, BROKER, safety=True),
    Check("B25", "a venue that cannot be reached has no order", 3, unreachable, BROKER, safety=True),
    Check("B30", "a refusal is an answer", 2, rejected, BROKER),
    Check("B35", "a cancel may come too late", 3, cancels, BROKER, safety=True),
    Check("B40", "only the venue ends an order", 3, network_is_no_answer, BROKER, safety=True),
    Check("B45", "fills without loss or repeat", 3, reads_on, BROKER, safety=True),
    Check("B50", "balances, rights and the venue's clock", 2, account, BROKER),
    Check("B55", "pushes what happens, and ends when it is told", 4, watches, BROKER),
    Check("B60", "rate limits are passed on", 7, throttled, BROKER),
    Check("B65", "secrets are kept", 3, secrets_kept, BROKER, safety=True),
    Check("B70", "opened, left, and nothing runs on", 7, opened_and_left, BROKER),
)
