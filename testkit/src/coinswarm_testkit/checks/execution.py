"""E: an execution agent decides how an approved order is placed, not whether."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.domain.order import ChildOrder, OrderKind, TimeInForce
from coinswarm_testkit.cases.orders import TIMED, hard_questions, questions
from coinswarm_testkit.checks import pure
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.pure import answers_to, demand
from coinswarm_testkit.verdicts import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.order import Order
    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.cases.orders import Question
    from coinswarm_testkit.subject import Kind

AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


def sliced(bench: Bench, asked: Sequence[Question]) -> list[tuple[Order, list[ChildOrder]]]:
    """Each order and the parts in which it is placed."""
    answers = answers_to(bench, "slice", asked)
    pure.of_kind(answers, _is_children, "sequence of ChildOrders")
    return [(question.order.item, list(answer)) for question, answer in zip(asked, answers, strict=True)]


def _is_children(answer: Any) -> bool:  # noqa: ANN401 - whatever it answered
    return isinstance(answer, list | tuple) and all(isinstance(child, ChildOrder) for child in answer)


def processes(bench: Bench) -> None:
    """E10: the same parts in any process."""
    pure.in_any_process(bench, "slice", questions(bench.seed))


def memoryless(bench: Bench) -> None:
    """E15: the parts depend on the order and the book alone."""
    pure.whatever_came_before(bench, "slice", questions(bench.seed))


def sums(bench: Bench) -> Measured:
    """E20: the parts sum to the order, no lot more and no lot less."""
    found = sliced(bench, questions(bench.seed))
    for order, children in found:
        total = sum(child.lots for child in children)
        demand(total == order.lots, f"{order.lots:,} lots are placed as {total:,} in {len(children)} parts")
    return Measured({"orders": len(found), "parts": sum(len(children) for _, children in found)})


def large_enough(bench: Bench) -> None:
    """E25: every part is worth what the venue takes, unless the whole order is not."""
    asked = questions(bench.seed)
    for question, (order, children) in zip(asked, sliced(bench, asked), strict=True):
        numerator, denominator = question.book.instrument.value_ratio
        smallest = question.book.instrument.min_notional_units
        facing = question.book.facing(order.side)[0][0]
        if order.lots * (order.limit or facing) * numerator // denominator < smallest:
            continue
        for child in children:
            worth = child.lots * (child.limit or order.limit or facing) * numerator // denominator
            demand(
                worth >= smallest,
                f"{child.lots:,} of {order.lots:,} lots are worth {worth:,}, the venue takes no less than {smallest:,}",
            )


def keeps_the_limit(bench: Bench) -> None:
    """E30: where the order has a limit, every part has one that is no worse."""
    for order, children in sliced(bench, questions(bench.seed)):
        for child in children if order.kind is OrderKind.LIMIT else ():
            good = child.kind is OrderKind.LIMIT and (order.limit - child.limit) * order.side >= 0
            what = f"limit {child.limit:,}" if child.kind is OrderKind.LIMIT else "no limit"
            demand(good, f"an order of side {order.side} with limit {order.limit:,} is placed with {what}")


def ends_in_time(bench: Bench) -> None:
    """E40: nothing is sent before the order was decided, and nothing works beyond its end."""
    for order, children in sliced(bench, questions(bench.seed)):
        for child in children:
            demand(child.at_ns >= order.decided_ns, f"a part is sent {order.decided_ns - child.at_ns:,} ns too early")
            if order.tif not in TIMED:
                continue
            demand(
                child.at_ns < order.expire_ns,
                f"a part is sent {child.at_ns - order.expire_ns:,} ns after the order's end",
            )
            ends = child.tif in AT_ONCE or (child.tif in TIMED and child.expire_ns <= order.expire_ns)
            demand(ends, f"a part ({child.tif.name}, until {child.expire_ns}) outlives the order's {order.expire_ns}")


def at_once(bench: Bench) -> None:
    """E45: IOC stays IOC and FOK stays whole, at once."""
    for order, children in sliced(bench, questions(bench.seed)):
        if order.tif in AT_ONCE:
            kept = all(child.tif is order.tif and child.at_ns == order.decided_ns for child in children)
            demand(kept, f"{order.tif.name} becomes {', '.join(child.tif.name for child in children)}, or waits")
            whole = order.tif is TimeInForce.IOC or len(children) == 1
            demand(whole, f"all or nothing becomes {len(children)} parts")


def any_book(bench: Bench) -> Measured:
    """E50: an empty, one-sided, thin or crossed book raises nothing and loses no lot."""
    found = sliced(bench, hard_questions(bench.seed))
    for order, children in found:
        total = sum(child.lots for child in children)
        demand(total == order.lots, f"{order.lots:,} lots are placed as {total:,} where the book is no ordinary one")
    return Measured({"orders": len(found)})


def in_order(bench: Bench) -> None:
    """E60: parts come in the order in which they are sent."""
    for _, children in sliced(bench, questions(bench.seed)):
        times = [child.at_ns for child in children]
        demand(times == sorted(times), f"parts are sent at {times[:5]}: not in the order of time")


EXECUTION: frozenset[Kind] = frozenset({"execution"})

CHECKS: tuple[Check, ...] = (
    Check("E10", "the same parts in any process", 1, processes, EXECUTION),
    Check("E15", "parts depend on the order and the book alone", 1, memoryless, EXECUTION),
    Check("E20", "parts sum to the order", 3, sums, EXECUTION, safety=True),
    Check("E25", "every part is worth what the venue takes", 5, large_enough, EXECUTION),
    Check("E30", "no part is worse than the order's limit", 5, keeps_the_limit, EXECUTION, safety=True),
    Check("E40", "nothing too early, nothing beyond the deadline", 3, ends_in_time, EXECUTION, safety=True),
    Check("E45", "what is to be done at once is done at once", 3, at_once, EXECUTION),
    Check("E50", "any book will do", 7, any_book, EXECUTION, safety=True),
    Check("E60", "parts come in the order of time", 2, in_order, EXECUTION),
)
