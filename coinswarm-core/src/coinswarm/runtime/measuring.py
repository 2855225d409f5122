"""What each agent of a profile earns by itself, day by day: the evidence that changes of weights rest on.

An agent is measured alone, at full weight, on the profile's bars and with its costs, sizing and limits, as a backtest.
Whole UTC days from the profile's start on count, idle ones included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from coinswarm.clock import DAY_NS
from coinswarm.domain.valid import FULL_BP
from coinswarm.errors import DataError, NotReadyError
from coinswarm.runtime.assembly import assemble
from coinswarm.runtime.runs import execute
from coinswarm.runtime.trials import measured_days

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.config.profile import Profile
    from coinswarm.memory.store.opening import Store
    from coinswarm.runtime.assembly import Assembled
    from coinswarm.runtime.runs import Engine

_PPM = 1_000_000


class Measured(NamedTuple):
    """One agent's record.

    :param first_day: days since 1970-01-01, UTC.
    :param returns_ppm: of equity, one per day, in millionths.
    :param tier, certificate: that it holds on these bars, and the certificate's digest; empty: none.
    """

    agent: str
    first_day: int
    returns_ppm: tuple[int, ...]
    tier: str
    certificate: str


def measure(
    profile: Profile, label: str, told: Callable[[str], None] = lambda _: None, *, engine: Engine = "columns"
) -> list[Measured]:
    """Run each agent of a profile by itself.

    :param label: what messages call the profile.
    :param told: is handed the name of each before it runs.
    :raises CoinswarmError: as a backtest does.
    :raises DataError: where there is no whole day, or equity was lost.
    """
    if profile.mode == "live":
        message = f"{label} is a live profile"
        raise NotReadyError(message, remedy='measure with mode = "backtest"')
    committee = profile.committee.model_copy(update={"store": None, "cluster": "", "shard": "", "position": None})
    found = []
    for item in profile.agents:
        told(item.seat)
        alone = item.model_copy(update={"weight_bp": FULL_BP})
        ready = assemble(
            profile.model_copy(update={"agents": [alone], "committee": committee, "memory": None}), label=label
        )
        result = execute(ready, engine)
        days = measured_days(ready, result)
        if days.ruined:
            message = f"{item.seat} loses all equity by itself"
            raise DataError(message, remedy="leave it out of the profile that is measured")
        begin = max(ready.plan.start_ns, int(result.times_ns[0])) if len(days) else 0
        first = max(0, -(-begin // DAY_NS) - int(days.day[0])) if len(days) else 0
        last = len(days) - bool(len(days) and (int(result.times_ns[-1]) + result.bar_ns) % DAY_NS)
        growth = days.growth[first:last].tolist()
        if not growth:
            message = f"the bars of {label} hold no whole day"
            raise DataError(message, remedy="give more of them")
        returns = tuple(max(round(one * _PPM), 1) - _PPM for one in growth)
        found.append(Measured(item.seat, int(days.day[first]), returns, *_certificate(ready, item.seat)))
    return found


def commit(store: Store, measured: list[Measured]) -> None:
    """Write records and certificates to a store, for proposals to cite. What is there already must be the same.

    :raises DataError: for another return on a day that is there, or days that do not follow it.
    """
    for one in measured:
        store.facts.add_returns(f"returns/{one.agent}", one.first_day, one.returns_ppm)
        if one.certificate:
            store.facts.add_certificate(one.agent, one.certificate, one.tier)


def _certificate(ready: Assembled, seat: str) -> tuple[str, str]:
    """Tier and digest of an agent's certificate; both empty without one that counts."""
    stands = next((one for one in ready.standings if (one.seat.kind, one.seat.label) == ("agent", seat)), None)
    return (stands.tier, stands.cited) if stands is not None and stands.tier else ("", "")
