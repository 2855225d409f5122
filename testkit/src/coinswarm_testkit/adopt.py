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
from coinswarm_testkit.checks import CHECKS, CheckFailedError, CheckSkipped
from coinswarm_testkit.subject import Subject, installed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coinswarm_testkit.checks import Check


def contract_tests(
    agent: str | Subject, *, plugin: str = "", settings: Mapping[str, Any] | None = None
) -> Callable[..., None]:
    """A test function over all checks; assign it to a name that pytest collects.

    Nothing is loaded before the tests run: an agent that cannot be had fails every check, with the reason.

    :param agent: name of an installed signal agent, or a subject of one's own.
    :param plugin: name of the plugin that declares it; the agent's own by default.
    :param settings: settings to judge it with; its defaults where left out.
    """
    name = agent if isinstance(agent, str) else agent.name
    items = [
        pytest.param(check, id=f"{name}-{check.id}", marks=[pytest.mark.soundness] if check.category else [])
        for check in CHECKS
    ]

    @pytest.mark.parametrize("check", items)
    def test_contract(check: Check, request: pytest.FixtureRequest) -> None:
        seed: int = request.config.getoption("--coinswarm-seed")
        try:
            subject = installed(agent, plugin=plugin, settings=settings) if isinstance(agent, str) else agent
            check.run(subject, seed)
        except CheckSkipped as reason:
            pytest.skip(f"{check.id} does not apply to {name}: {reason}")
        except (CheckFailedError, CoinswarmError) as error:
            again = f"pytest '{request.node.nodeid}' --coinswarm-seed {seed}"
            pytest.fail(f"{check.id} {check.title}: {error}\nreproduce: {again}", pytrace=False)

    return test_contract
