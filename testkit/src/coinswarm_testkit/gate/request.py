"""What the judge is asked: plain data from ``coinswarm plugins check``, which has checked the operator's side of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from coinswarm.feeds.files import load_bars, sample
from coinswarm.feeds.length import parse_length

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coinswarm.feeds.loaded import Loaded
    from coinswarm_testkit.checks import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of the judge.

    :param plugin: by the name of its entry point.
    :param kind, name: which of its objects; empty: each.
    :param tier: up to which checks are run.
    :param only: ids of the checks to run, for reproducing one; empty: all, and only then there is a certificate.
    :param settings: of every object judged; None: those of ``seats``, or defaults.
    :param seats: what a profile seats: ``{"kind", "name", "settings"}`` each.
    :param instruments: tables of a profile, with ``file`` or ``sample``; where evidence is measured.
    :param trials: variants that its author tried; None: unknown.
    :param thresholds: name of a set that is compared too; empty: none.
    :param waivers: check to reason.
    :param against: path of an older version; empty: none.
    :param home: ``$COINSWARM_HOME``, where the certificate is kept; empty: nowhere.
    :param folders: of installed distributions, for workers.
    :param again: the command line that repeats this.
    :param report: path of an HTML page to write; empty: none.
    """

    plugin: str
    kind: str = ""
    name: str = ""
    tier: str = "silver"
    only: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None
    seats: tuple[Mapping[str, Any], ...] | None = None
    instruments: tuple[Mapping[str, Any], ...] = ()
    seed: int = 0
    trials: int | None = None
    thresholds: str = ""
    waivers: Mapping[str, str] = field(default_factory=dict)
    against: str = ""
    home: str = ""
    folders: tuple[str, ...] = ()
    again: str = ""
    report: str = ""

    @classmethod
    def read(cls, data: bytes) -> Request:
        """The request that some JSON is.

        :raises KeyError, TypeError, ValueError: when it is none: its sender is core.
        """
        given = json.loads(data)
        for one in fields(cls):
            if one.name in given and isinstance(given[one.name], list):
                given[one.name] = tuple(given[one.name])
        return cls(**given)

    @property
    def reach(self) -> Tier:
        """The tier, as the suite has it."""
        return cast("Tier", self.tier)

    def loaded(self) -> dict[str, Loaded]:
        """The recorded bars that are judged on beside the generated markets, by symbol.

        :raises DataError: when a file is none.
        """
        found = {}
        for item in self.instruments:
            path = Path(item["file"]) if item.get("file") else sample(item.get("sample") or item["symbol"])
            one = load_bars(
                path,
                symbol=item.get("symbol"),
                bar_ns=parse_length(item["bar"]) if item.get("bar") else None,
                stamp=item.get("stamp", "open"),
                volume=item.get("volume", "base"),
                tick=_decimal(item.get("tick")),
                lot=_decimal(item.get("lot")),
                min_notional=_decimal(item.get("min_notional")) or Decimal(0),
                shortable=item.get("shortable", False),
            )
            found[one.bars.instrument.symbol] = one
        return found


def _decimal(value: object) -> Decimal | None:
    """A number as JSON has it."""
    return None if value is None else Decimal(str(value))
