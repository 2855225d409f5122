"""How a plugin adopts the testkit: one line in its tests.

::

    from coinswarm_testkit import contract_tests

    test_contract = contract_tests("trend")

gives one item per check, as in ``test_contract[trend-A30]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.errors import CoinswarmError
from coinswarm_testkit.bench import LocalBench
from coinswarm_testkit.installed import installed
from coinswarm_testkit.suite import checks_for, demand_waivable, outcome
from coinswarm_testkit.verdicts import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coinswarm_testkit.checks import Check, Tier
    from coinswarm_testkit.subject import Kind, Subject


def contract_tests(  # noqa: PLR0913 - all but the first have defaults
    name: str | Subject,
    *,
    kind: Kind = "agent",
    plugin: str = "",
    settings: Mapping[str, Any] | None = None,
    tier: Tier = "silver",
    waive: Mapping[str, str] | None = None,
) -> Callable[..., None]:
    """A test function over all checks; assign it to a name that pytest collects.

    Nothing is loaded before the tests run: a plugin that cannot be had fails every check, with the reason.

    :param name: of an installed object, or a subject of one's own.
    :param kind: which contract it is held to.
    :param plugin: name of the plugin that declares it; the object's own by default.
    :param settings: settings to judge it with; its defaults where left out.
    :param tier: up to which checks are run; gold's take minutes.
    :param waive: reasons by check id; each becomes a strict xfail.
    :raises OperatorError: for a waiver of an unknown check, of a safety check, or without a reason.
    """
    label, kind = (name, kind) if isinstance(name, str) else (name.name, name.kind)
    waive = waive or {}
    checks = checks_for(kind, tier=tier)
    demand_waivable(waive, checks)
    items = [pytest.param(check, id=f"{label}-{check.id}", marks=_marks(check, waive)) for check in checks]

    @pytest.mark.parametrize("check", items)
    def test_contract(check: Check, request: pytest.FixtureRequest) -> None:
        seed: int = request.config.getoption("--coinswarm-seed")
        again = f"reproduce: pytest '{request.node.nodeid}' --coinswarm-seed {seed}"
        try:
            subject = installed(name, plugin=plugin, kind=kind, settings=settings) if isinstance(name, str) else name
        except CoinswarmError as error:
            pytest.fail(f"{check.id} {check.title}: {error}\n{again}", pytrace=False)
        with LocalBench(subject, seed) as bench:
            found = outcome(bench, check)
        if found.result is Result.SKIPPED:
            pytest.skip(f"{check.id} does not apply to {label}: {found.reason}")
        if found.result is Result.INCOMPLETE:
            pytest.skip(f"{check.id} cannot be run here: {found.reason}")
        if found.result is Result.FAILED:
            pytest.fail(f"{check.id} {check.title}: {found.reason}\n{again}", pytrace=False)

    return test_contract


def _marks(check: Check, waive: Mapping[str, str]) -> list[pytest.MarkDecorator]:
    """The marks of one item."""
    marks = [pytest.mark.soundness] if check.category else []
    return [*marks, pytest.mark.xfail(reason=waive[check.id], strict=True)] if check.id in waive else marks
