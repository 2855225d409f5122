"""Judging: every check that is about a subject, in order, each ending in one outcome."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm.errors import CoinswarmError, OperatorError, nearest
from coinswarm_testkit.checks import CHECKS, TIERS
from coinswarm_testkit.verdicts import CheckFailedError, CheckIncompleteError, CheckSkipped, Measured, Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from coinswarm_testkit.bench import Bench
    from coinswarm_testkit.checks import Check, Tier
    from coinswarm_testkit.subject import Kind


def checks_for(kind: Kind, *, tier: Tier = "gold") -> tuple[Check, ...]:
    """The checks about a kind of subject, up to a tier, in order."""
    reach = TIERS[: TIERS.index(tier) + 1]
    return tuple(check for check in CHECKS if kind in check.kinds and check.tier in reach)


def demand_waivable(waivers: Mapping[str, str], checks: Sequence[Check]) -> None:
    """Hold that waivers name checks that may be waived, and say why.

    :raises OperatorError: naming the first that does not.
    """
    known = {check.id: check for check in checks}
    for name, reason in waivers.items():
        if name not in known:
            message = f"the waiver names the unknown check {name!r}"
            raise OperatorError(message, remedy=nearest(name, known))
        if known[name].safety:
            message = f"the check {name} ({known[name].title}) guards money and cannot be waived"
            raise OperatorError(message, remedy="mend the plugin")
        if known[name].tier == "gold":
            message = (
                f"the check {name} ({known[name].title}) is about evidence, which is had or not, and cannot be waived"
            )
            raise OperatorError(
                message, remedy="go with silver; a profile says what evidence it does without, and how long"
            )
        if not reason.strip():
            message = f"the waiver of {name} gives no reason"
            raise OperatorError(message, remedy=f"say why, as in {name}='known, see issue 12'")


def judge(
    bench: Bench,
    checks: Sequence[Check],
    *,
    waivers: Mapping[str, str] | None = None,
    began: Callable[[Check], None] = lambda _check: None,
) -> Iterator[Outcome]:
    """Run checks one after the other.

    A waiver is strict: where the check holds after all, it fails, so that waivers do not outlive their reason.

    :param waivers: reasons by check id.
    :param began: told of each check as it begins.
    :raises OperatorError: for a waiver that cannot be.
    """
    waivers = waivers or {}
    demand_waivable(waivers, checks)
    for check in checks:
        began(check)
        yield _waived(outcome(bench, check), waivers.get(check.id, ""))


def outcome(bench: Bench, check: Check) -> Outcome:
    """How one check ends; whatever goes wrong in it is a failure of the subject, in one line."""
    begin = time.perf_counter()
    try:
        result, reason, measured = _ran(bench, check)
    except (CheckFailedError, CoinswarmError) as error:
        result, reason = Result.FAILED, " ".join(str(error).split())
        measured = getattr(error, "measured", None) or Measured()
    except Exception as error:  # noqa: BLE001 - answers of no form that the check knows
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        reason = f"its answers could not be judged ({said}, {Path(where.filename).name}:{where.lineno})"
        result, measured = Result.FAILED, Measured()
    seconds = round(time.perf_counter() - begin, 3)
    return Outcome(check.id, check.title, check.category, check.tier, result, reason, measured, seconds)


def _ran(bench: Bench, check: Check) -> tuple[Result, str, Measured]:
    """How a check ends that does not fail.

    :raises Exception: whatever it fails by; also when somebody has meddled with the bench meanwhile.
    """
    try:
        found = Result.PASSED, "", check.run(bench) or Measured()
    except CheckIncompleteError as error:
        found = Result.INCOMPLETE, str(error), Measured()
    except CheckSkipped as error:
        found = Result.SKIPPED, str(error), Measured()
    bench.demand_sound()
    return found


def _waived(found: Outcome, reason: str) -> Outcome:
    """An outcome under a waiver, if there is one."""
    if not reason or found.result in {Result.SKIPPED, Result.INCOMPLETE}:
        return found
    if found.result is Result.FAILED:
        result, why = Result.WAIVED, f"{reason} (it says: {found.reason})"
    else:
        result, why = Result.FAILED, f"it is waived ({reason}), but holds: remove the waiver"
    return Outcome(found.id, found.title, found.category, found.tier, result, why, found.measured, found.seconds)


def tier_of(outcomes: Sequence[Outcome]) -> Tier | None:
    """The highest tier whose checks, and those of the tiers before it, were run and all are good."""
    reached: Tier | None = None
    for tier in TIERS:
        of_tier = [one for one in outcomes if one.tier == tier]
        if not of_tier or not all(one.good for one in of_tier):
            break
        reached = tier
    return reached
