"""Funding payments in the record of a run: from which file, and whether they are still the same (S15)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinswarm.canonical import digest_arrays
from coinswarm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.engine.plan import Funding
    from coinswarm.runtime.assembly import Assembled


def payments_of(ready: Assembled) -> dict[str, Any]:
    """What a run says of its funding, by symbol: the file, absolute, so that a replay finds it; and what it held."""
    files = {item.symbol: Path(item.funding) for item in ready.profile.instruments if item.funding}
    return {
        symbol: {
            "file": str(files[symbol].resolve()),
            "payments": len(paid.times_ns),
            "first_ns": int(paid.times_ns[0]),
            "last_ns": int(paid.times_ns[-1]),
            "sha256": _digest(paid),
        }
        for symbol, paid in sorted(ready.plan.funding.items())
    }


def find_payments(profile: dict[str, Any], record: Mapping[str, Any]) -> None:
    """Have a stored profile read the files that its run read, in place, from whatever folder."""
    for item in profile["instruments"]:
        if was := record.get("funding", {}).get(item["symbol"]):
            item["funding"] = was["file"]


def same_payments(ready: Assembled, record: Mapping[str, Any], run: str) -> None:
    """Hold that the payments are those of the run; one that kept no word of them is believed.

    :param run: its name.
    :raises DataError: where they are not.
    """
    for symbol, was in record.get("funding", {}).items():
        if _digest(ready.plan.funding[symbol]) != was["sha256"]:
            message = f"the funding payments of {symbol} have changed since run {run} was made"
            raise DataError(message, remedy=f"restore the {was['payments']:,} payments of {was['file']}")


def _digest(paid: Funding) -> str:
    """SHA-256 of the payments, however their file spells them."""
    return digest_arrays({"times_ns": paid.times_ns, "rate_ppb": paid.rate_ppb})
