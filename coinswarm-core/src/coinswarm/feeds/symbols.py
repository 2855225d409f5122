"""Guessing ``BASE/QUOTE`` from a file's name, as in ``bitfinex_BTCUSD_1m_2017.csv.gz``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coinswarm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

QUOTES = (
    *("USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USD", "EUR", "GBP", "JPY", "KRW", "AUD", "CAD", "CHF", "BRL", "TRY"),
    *("DAI", "BTC", "XBT", "ETH", "BNB"),
)
"""What prices are quoted in; where two end a name (``FDUSD``, ``USD``) the longest counts."""

FIAT_LIKE = frozenset(QUOTES) - {"BTC", "XBT", "ETH", "BNB"}
"""Those that are money rather than a traded asset: a volume column named after one counts quote."""

BASES = frozenset(
    [
        "BTC",
        "XBT",
        "ETH",
        "BNB",
        "XRP",
        "SOL",
        "ADA",
        "DOGE",
        "DOT",
        "LTC",
        "BCH",
        "LINK",
        "AVAX",
        "TRX",
        "MATIC",
        "UNI",
        "ATOM",
        "BAT",
        "ARB",
        "USDT",
        "USDC",
    ]
)
"""Well-known assets, which part ``BNBUSD`` (BNB/USD, not BN/BUSD) where two readings are possible."""

_SPLIT = re.compile(rf"(?<![A-Za-z0-9])([A-Z0-9]{{2,12}})[-_/]({'|'.join(QUOTES)})(?![A-Za-z0-9])")
_PERPETUAL = re.compile(r"(?<![A-Za-z0-9])([A-Z0-9]{2,12})[-_]PERP(?:ETUAL)?(?![A-Za-z0-9])")


def check_symbol(symbol: str) -> str:
    """Return ``symbol``.

    :raises DataError: where it is not ``BASE/QUOTE``.
    """
    base, slash, quote = symbol.partition("/")
    if not (base and slash and quote) or re.search(r"[^\w.:/-]|/.*/", symbol):
        message = f"symbol {symbol!r} is not BASE/QUOTE"
        guess = guess_symbol(symbol.upper())
        raise DataError(message, remedy=f"did you mean {guess!r}?" if guess else "write for example BTC/USD")
    return symbol


def one_pair(named: Iterable[str], name: str) -> str:
    """The one value of a file's column of pairs, in upper case.

    :param named: its values.
    :param name: what to call the file in messages.
    :raises DataError: where the file holds several pairs.
    """
    found = sorted({pair.strip().upper() for pair in named})
    if len(found) > 1:
        message = f"{name} holds {len(found)} pairs ({', '.join(found[:3])})"
        raise DataError(message, remedy="give one file per pair")
    return found[0]


def guess_symbol(name: str) -> str | None:
    """``BASE/QUOTE`` from a file name, or None where it names no pair or more than one.

    ``BTC_USDT``, ``BTC-USDT`` and ``BTCUSDT`` are BTC/USDT; ``BTC-PERP`` is BTC-PERP/USD. Only upper
    case counts, so that words of the name are not taken for pairs.
    """
    perpetual = {f"{match[1]}-PERP/USD" for match in _PERPETUAL.finditer(name)}
    if perpetual:
        return perpetual.pop() if len(perpetual) == 1 else None
    split = {f"{match[1]}/{match[2]}" for match in _SPLIT.finditer(name) if _is_asset(match[1], match[2])}
    if split:
        return split.pop() if len(split) == 1 else None
    joined = {reading for word in re.split(r"[^A-Za-z0-9]+", name) for reading in _readings(word)}
    return joined.pop() if len(joined) == 1 else None


def _readings(word: str) -> set[str]:
    """The pairs that a word such as ``BTCUSDT`` can mean; those of well-known assets alone, if there are any."""
    if not re.fullmatch(r"[A-Z0-9]{5,16}", word):
        return set()
    bases = {(word.removesuffix(quote), quote) for quote in QUOTES if word.endswith(quote)}
    readings = {(base, quote) for base, quote in bases if _is_asset(base, quote)}
    known = {(base, quote) for base, quote in readings if base in BASES}
    return {f"{base}/{quote}" for base, quote in known or readings}


def _is_asset(base: str, quote: str) -> bool:
    """Whether ``base`` can be what is traded: not a number, nor a bar length such as ``1H``."""
    return len(base) > 1 and base != quote and not re.fullmatch(r"\d+[A-Z]?", base)
