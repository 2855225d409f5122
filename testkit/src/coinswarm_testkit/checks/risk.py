"""R: a risk agent may shrink an intent or refuse it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.domain.intent import Assessment
from coinswarm_testkit.cases.risk import exits, hard_questions, ladders, questions
from coinswarm_testkit.checks import pure
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.pure import answers_to, demand
from coinswarm_testkit.verdicts import CheckFailedError, Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.cases.risk import Question
    from coinswarm_testkit.subject import Kind

FULL_BP = 10_000
SLACK_BP = 1
"""R50: how much less of equity a larger wish may be left with: one rounding."""


def assessed(bench: Bench, asked: Sequence[Question]) -> list[Assessment]:
    """What is left of each intent."""
    answers = answers_to(bench, "assess", asked)
    pure.of_kind(answers, _is_assessment, "Assessment")
    return answers


def _is_assessment(answer: Any) -> bool:  # noqa: ANN401 - whatever it answered
    return isinstance(answer, Assessment)


def processes(bench: Bench) -> None:
    """R10: the same assessment in any process."""
    pure.in_any_process(bench, "assess", questions(bench.seed))


def memoryless(bench: Bench) -> None:
    """R15: equal questions get equal answers, whoever asked before."""
    pure.whatever_came_before(bench, "assess", questions(bench.seed))


def never_enlarges(bench: Bench) -> Measured:
    """R20: no number is further from zero than the intent's."""
    asked = questions(bench.seed) + hard_questions(bench.seed)
    found = assessed(bench, asked)
    for question, left in zip(asked, found, strict=True):
        wish = question.intent
        good = abs(left.exposure_bp) <= abs(wish.exposure_bp) and left.size_bp <= wish.size_bp
        demand(
            good, f"of {wish} it leaves exposure {left.exposure_bp:,} and size {left.size_bp:,}: more than was wanted"
        )
    shrunk = sum(
        (left.exposure_bp, left.size_bp) != (question.intent.exposure_bp, question.intent.size_bp)
        for question, left in zip(asked, found, strict=True)
    )
    return Measured({"intents": len(found), "shrunk": shrunk})


def never_flips(bench: Bench) -> None:
    """R25: what is left is on the intent's side, or flat."""
    asked = questions(bench.seed) + hard_questions(bench.seed)
    for question, left in zip(asked, assessed(bench, asked), strict=True):
        wish = question.intent.exposure_bp
        demand(left.exposure_bp * wish >= 0, f"an exposure of {wish:,} becomes one of {left.exposure_bp:,}")


def never_mutates(bench: Bench) -> None:
    """R30: intent, account and market are as they were."""
    pure.inputs_unchanged(bench, "assess", questions(bench.seed, each=5))


def never_raises(bench: Bench) -> Measured:
    """R40: an answer in every market and every account."""
    asked = hard_questions(bench.seed)
    return Measured({"questions": len(assessed(bench, asked))})


def monotone(bench: Bench) -> None:
    """R50: a larger wish is never left with less."""
    rungs = ladders(bench.seed)
    answers = iter(assessed(bench, [question for ladder in rungs for question in ladder]))
    for ladder in rungs:
        before, wish = 0, ladder[0].intent
        for question in ladder:
            left = next(answers)
            worth = abs(left.exposure_bp) * left.size_bp
            if worth < before - SLACK_BP * FULL_BP:
                message = (
                    f"of {question.intent} {worth / FULL_BP:.1f} bp of equity are left, "
                    f"of the smaller {wish} {before / FULL_BP:.1f}"
                )
                raise CheckFailedError(message)
            before, wish = worth, question.intent


def exits_pass(bench: Bench) -> None:
    """R60: where nothing is wanted, nothing is left, whatever the market and the account."""
    asked = exits(bench.seed)
    for left in assessed(bench, asked):
        demand(left.exposure_bp == 0, f"a flat intent becomes an exposure of {left.exposure_bp:,}")


def says_why(bench: Bench) -> None:
    """R70: who takes something away says why."""
    asked = questions(bench.seed)
    for question, left in zip(asked, assessed(bench, asked), strict=True):
        whole = (left.exposure_bp, left.size_bp) == (question.intent.exposure_bp, question.intent.size_bp)
        demand(whole or left.reason.strip(), f"it leaves {left} of {question.intent} and gives no reason")


RISK: frozenset[Kind] = frozenset({"risk"})

CHECKS: tuple[Check, ...] = (
    Check("R10", "the same assessment in any process", 1, processes, RISK),
    Check("R15", "equal questions get equal answers", 1, memoryless, RISK),
    Check("R20", "never enlarges", 3, never_enlarges, RISK, safety=True),
    Check("R25", "never turns", 3, never_flips, RISK, safety=True),
    Check("R30", "changes nothing that it is shown", 7, never_mutates, RISK, safety=True),
    Check("R40", "never raises", 7, never_raises, RISK, safety=True),
    Check("R50", "a larger wish is never left with less", 3, monotone, RISK),
    Check("R60", "exits always pass", 3, exits_pass, RISK, safety=True),
    Check("R70", "who takes away says why", 2, says_why, RISK),
)
