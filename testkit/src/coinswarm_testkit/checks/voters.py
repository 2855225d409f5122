"""V: how a voter judges: what is sound, what is not, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm.domain.acceptance import Verdict, mandatory
from coinswarm_testkit.cases.proposals import flattered, shuffled, sound, unsafe
from coinswarm_testkit.checks import pure
from coinswarm_testkit.checks.check import Check
from coinswarm_testkit.checks.pure import answers_to, demand
from coinswarm_testkit.verdicts import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.cases.case import Case
    from coinswarm_testkit.subject import Kind


def everything(seed: int) -> list[Case]:
    """Sound and unsafe proposals, one between the other."""
    cases = [*sound(seed), *unsafe(seed)]
    order = np.random.default_rng([seed, 32]).permutation(len(cases)).tolist()
    return [cases[place] for place in order]


def questions(cases: Sequence[Case]) -> list[tuple[Any, Any]]:
    """What ``evaluate`` is asked."""
    return [(case.proposal, case.evidence) for case in cases]


def verdicts(bench: Bench, cases: Sequence[Case]) -> list[Verdict]:
    """How it judges each."""
    answers = answers_to(bench, "evaluate", questions(cases))
    pure.of_kind(answers, _is_verdict, "Verdict")
    return answers


def _is_verdict(answer: Any) -> bool:  # noqa: ANN401 - whatever it answered
    return isinstance(answer, Verdict)


def _signed(verdict: Verdict) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a ballot signs of a verdict."""
    return verdict.held, verdict.failed


def processes(bench: Bench) -> None:
    """V10: the same verdict in any process."""
    pure.in_any_process(bench, "evaluate", questions(everything(bench.seed)))


def memoryless(bench: Bench) -> None:
    """V15: a verdict is a function of the proposal and the evidence."""
    pure.whatever_came_before(bench, "evaluate", questions(everything(bench.seed)))


def order_free(bench: Bench) -> None:
    """V20: the order in which evidence is told changes no verdict."""
    cases = everything(bench.seed)
    rng = np.random.default_rng([bench.seed, 33])
    mixed = verdicts(bench, [shuffled(rng, case) for case in cases])
    for case, one, other in zip(cases, mixed, verdicts(bench, cases), strict=True):
        same = _signed(one) == _signed(other)
        demand(
            same,
            f"{case.name}: in another order {one.failed or 'nothing'} fails instead of {other.failed or 'nothing'}",
        )


def recomputes(bench: Bench) -> None:
    """V30: a claim changes no verdict, however good it sounds."""
    cases = everything(bench.seed)
    claimed = verdicts(bench, [flattered(case) for case in cases])
    for case, one, other in zip(cases, claimed, verdicts(bench, cases), strict=True):
        same = _signed(one) == _signed(other)
        demand(same, f"{case.name}: with claims {one.failed or 'nothing'} fails instead of {other.failed or 'nothing'}")


def judges_all(bench: Bench) -> None:
    """V35: every mandatory rule is judged, and no other; each that fails is explained."""
    cases = everything(bench.seed)
    for case, verdict in zip(cases, verdicts(bench, cases), strict=True):
        wanted, found = set(mandatory(case.proposal)), {*verdict.held, *verdict.failed}
        missing, more = sorted(wanted - found), sorted(found - wanted)
        demand(not missing, f"{case.name}: it does not judge {', '.join(missing)}")
        demand(not more, f"{case.name}: it judges {', '.join(more)}, which is not asked")
        mute = [rule for rule in verdict.failed if not any(rule in remark for remark in verdict.remarks)]
        demand(not mute, f"{case.name}: {', '.join(mute)} failed, and no remark says why")


def refuses_the_unsafe(bench: Bench) -> Measured:
    """V40: no unsafe proposal is accepted; each is refused by the rule that it breaks."""
    cases = unsafe(bench.seed)
    for case, verdict in zip(cases, verdicts(bench, cases), strict=True):
        demand(not verdict.accepts, f"{case.name}: it accepts what {', '.join(sorted(case.fails))} forbid")
        passed = sorted(case.fails - set(verdict.failed))
        demand(not passed, f"{case.name}: it finds nothing wrong with {', '.join(passed)}")
    return Measured({"proposals": len(cases)})


def accepts_the_sound(bench: Bench) -> Measured:
    """V45: a sound proposal is accepted, at the very bound too, and a rule that holds is not said to fail."""
    cases = sound(bench.seed)
    for case, verdict in zip(cases, verdicts(bench, cases), strict=True):
        demand(verdict.accepts, f"{case.name}: it rejects it ({'; '.join(verdict.remarks)})")
    others = unsafe(bench.seed)
    for case, verdict in zip(others, verdicts(bench, others), strict=True):
        wronged = sorted(set(verdict.failed) - case.fails)
        demand(not wronged, f"{case.name}: it says that {', '.join(wronged)} failed, which held")
    return Measured({"proposals": len(cases)})


VOTER: frozenset[Kind] = frozenset({"voter"})

CHECKS: tuple[Check, ...] = (
    Check("V10", "the same verdict in any process", 1, processes, VOTER, safety=True),
    Check("V15", "a verdict depends on proposal and evidence alone", 1, memoryless, VOTER, safety=True),
    Check("V20", "the order of the evidence does not matter", 1, order_free, VOTER, safety=True),
    Check("V30", "no claim is believed", 3, recomputes, VOTER, safety=True),
    Check("V35", "every mandatory rule is judged and explained", 2, judges_all, VOTER, safety=True),
    Check("V40", "unsafe proposals are refused", 3, refuses_the_unsafe, VOTER, safety=True),
    Check("V45", "sound proposals are accepted", 2, accepts_the_sound, VOTER),
)
