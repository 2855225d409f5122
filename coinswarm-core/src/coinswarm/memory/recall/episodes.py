"""From a closed trade to the episode that is remembered of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.canonical import digest
from coinswarm.domain.episode import Episode

if TYPE_CHECKING:
    from decimal import Decimal

    from coinswarm.domain.outcome import TradeOutcome

PPM = 1_000_000


class Traded(NamedTuple):
    """A closed trade as the session's ledger and its fills have it.

    :param entry_price, exit_price: mean price of the fills, to a thousandth of a tick.
    :param slippage_bps: paid on entry and exit together, against the reference prices, rounded up.
    """

    outcome: TradeOutcome
    entry_price: Decimal
    exit_price: Decimal
    slippage_bps: int


def episode_id(space: str, agent: str, instrument: str, side: int, decided_ns: int) -> str:
    """The id of what became of a decision: the same decision has the same id everywhere."""
    return digest({"space": space, "agent": agent, "instrument": instrument, "side": side, "decided_ns": decided_ns})


def episode_of(  # noqa: PLR0913 - what an episode is made of
    outcome: TradeOutcome, *, space: str, agent: str, decided_ns: int, value: int, regime: str = ""
) -> Episode:
    """The episode of a trade that followed an agent's decision.

    :param outcome: of the whole position; results in shares of its value are the same for all who agreed.
    :param decided_ns: when the agent's direction had changed to the trade's side.
    :param value: of the position, at the open of its first bar, in the unit of ``outcome.pnl``.
    """
    return Episode(
        id=episode_id(space, agent, outcome.instrument, outcome.side, decided_ns),
        agent=agent,
        instrument=outcome.instrument,
        side=outcome.side,
        decided_ns=decided_ns,
        known_ns=outcome.known_ns,
        result_ppm=_share(outcome.pnl, value),
        risk_ppm=_share(outcome.risk, value),
        stopped=outcome.stopped,
        regime=regime,
    )


def _share(amount: int, value: int) -> int:
    """Millionths of a value, rounded to the nearest, halves up."""
    whole = max(value, 1)
    return (2 * amount * PPM + whole) // (2 * whole)
