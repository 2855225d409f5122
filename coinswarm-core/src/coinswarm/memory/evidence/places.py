"""Where evidence lies, as a proposal cites it, and the digest of what lies there.

========================================  ====================================================================
``trade/ID``                              one closed trade
``trades/PATTERN``                        the trades of a pattern, in the order in which they were written
``returns/AGENT``                         what an agent's ideas earned, day by day
``trials/PATTERN/VARIANT``                what a variant of a pattern earned, day by day
``certificates/AGENT``                    an agent's certificate; its digest is the certificate's own
========================================  ====================================================================

Records grow while a proposal is judged, and only at their ends. A digest is therefore a chain over the rows, and says
how far the record went when it was cited: a voter is shown the record up to there, and none where no part of it has
that digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coinswarm.canonical import chain, digest, sha256
from coinswarm.memory.quorum.forms import CLOSED, Form, told_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coinswarm.domain.episode import Episode

TRADE, TRADES, RETURNS, TRIALS, CERTIFICATES = "trade", "trades", "returns", "trials", "certificates"

_SERIES = (RETURNS, TRIALS)
_TRADES = Form('{"place":<text>,"schema":"coinswarm.trades/1"}')
"""What the digest of no trades at a place is over."""


def split(place: str) -> tuple[str, str]:
    """What kind of evidence lies at a place, and whose; both empty where the place is none of these."""
    kind, _, rest = place.partition("/")
    known = kind in {TRADE, TRADES, RETURNS, CERTIFICATES} or (kind == TRIALS and "/" in rest)
    return (kind, rest) if known and rest else ("", "")


def is_series(place: str) -> bool:
    """Whether returns by day lie there."""
    return split(place)[0] in _SERIES


def episode_text(episode: Episode) -> str:
    """An episode in its canonical form, as a proposal's body has it."""
    return CLOSED.spell(told_of(episode))


def trade_links(place: str, episodes: Iterable[Episode]) -> Iterator[str]:
    """The digest of the trades at a place up to each of them, and before that of none.

    :param episodes: in the order in which they were written.
    """
    link = sha256(_TRADES.write((place,)))
    yield link
    for episode in episodes:
        link = chain(link, episode_text(episode).encode())
        yield link


def return_links(place: str, first_day: int, returns_ppm: Iterable[int]) -> Iterator[str]:
    """The digest of daily returns at a place up to each of them, and before that of none.

    :param first_day: of the record, days since 1970-01-01, UTC.
    """
    link = digest({"schema": "coinswarm.returns/1", "place": place, "first_day": first_day})
    yield link
    for value in returns_ppm:
        link = chain(link, b"%d" % value)
        yield link


def upto(links: Iterable[str], wanted: str) -> int | None:
    """How many rows of a record a digest covers; None where it covers no part of it."""
    return next((count for count, link in enumerate(links) if link == wanted and count), None)
