"""What trading costs, as integers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Fees, spread, slippage and how much of a bar's volume can be had.

    :param maker_ppm, taker_ppm: fee in millionths of the fill's value (10 bps = 1,000).
    :param spread_ppm: full bid-ask spread in millionths of the price; a taker pays half.
    :param slippage_ppm: further adverse move a taker pays, in millionths of the price.
    :param participation_bp: share of a bar's volume that may be filled; 0: no cap.
    :param fee_in_base: a spot buy pays its fee in the asset bought (sell what you hold).
    """

    maker_ppm: int = 1_000
    taker_ppm: int = 1_000
    spread_ppm: int = 0
    slippage_ppm: int = 0
    participation_bp: int = 0
    fee_in_base: bool = False
