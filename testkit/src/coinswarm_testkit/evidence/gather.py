"""All evidence of one agent, measured once per bench and shared by the gold checks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.canonical import digest
from coinswarm.domain.action import ActionColumns
from coinswarm_testkit.bench import warm_up_of
from coinswarm_testkit.evidence import desk
from coinswarm_testkit.evidence.looks import note, registered
from coinswarm_testkit.evidence.record import IN_SAMPLE, OUT_OF_SAMPLE, WHOLE, Record, record
from coinswarm_testkit.evidence.tally import Tally, tally
from coinswarm_testkit.markets.ensembles import CONTROL, KINDS, REGIMES, Ensemble, ensemble
from coinswarm_testkit.markets.recorded import own, samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coinswarm.domain.market import Bars
    from coinswarm.plugins.records import PluginRecord
    from coinswarm_testkit.bench import Bench, Link
    from coinswarm_testkit.markets.recorded import Recording
    from coinswarm_testkit.replay import Table

BARS = 1_000
"""Bars of a path that are measured, after the warm-up."""

LONGEST_WARM_UP = 2_000
"""A longer one leaves fewer bars to measure."""

_TYPES = (np.int8, np.int16, np.uint8, np.int32, np.int64, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was measured.

    :param warm_up: bars.
    :param tallies: per kind of market, at the usual venue's costs.
    :param records: per recorded market, part and venue.
    :param seconds: wall time it took.
    """

    warm_up: int
    tallies: dict[str, Tally] = field(repr=False)
    records: tuple[Record, ...] = field(repr=False)
    seconds: float = 0.0

    def chosen(self, part: str, venue: str = desk.USUAL) -> list[Record]:
        """The records of one part at one venue's costs, by market."""
        return [one for one in self.records if (one.part, one.venue) == (part, venue)]


def columns_of(table: Table) -> ActionColumns:
    """Columns of a table of actions, int64[n, 6]."""
    return ActionColumns(*(column.astype(kind) for column, kind in zip(table.T, _TYPES, strict=True)))


def said(link: Link, histories: Sequence[Bars]) -> list[ActionColumns]:
    """What fresh agents say over each history."""
    tables = link.ask("agents.said_all", histories=list(histories))
    return [columns_of(np.asarray(one, np.int64).reshape(-1, len(_TYPES))) for one in tables]


def recordings(bench: Bench) -> list[Recording]:
    """The shipped sample, then the operator's own bars."""
    return [*samples(), *(own(f"your {name}", bars) for name, bars in sorted(bench.data.items()))]


def markets(bench: Bench, kinds: Sequence[str] = tuple(KINDS)) -> list[Ensemble]:
    """The ensembles of a bench."""
    bars = BARS + min(warm_up_of(bench), LONGEST_WARM_UP)
    return [ensemble(kind, bars, bench.seed) for kind in kinds]


def gather(bench: Bench) -> Evidence:
    """Everything, measured on first use."""
    if "evidence" not in bench.kept:
        began = time.perf_counter()
        wanted = [(part, venue) for part in (WHOLE, IN_SAMPLE, OUT_OF_SAMPLE) for venue in desk.VENUES]
        with bench.link() as link:
            tallies = tallied(bench, link, tuple(KINDS))
            records = recorded(bench, link, wanted)
        bench.kept["evidence"] = Evidence(warm_up_of(bench), tallies, tuple(records), time.perf_counter() - began)
    found: Evidence = bench.kept["evidence"]
    return found


def tallied(bench: Bench, link: Link, kinds: Sequence[str]) -> dict[str, Tally]:
    """Tallies of some kinds of market."""
    warm_up = min(warm_up_of(bench), LONGEST_WARM_UP)
    found = {}
    for market in markets(bench, kinds):
        found[market.name] = tally(market, said(link, list(market)), warm_up=warm_up)
    return found


def recorded(bench: Bench, link: Link, wanted: Sequence[tuple[str, str]]) -> list[Record]:
    """Records of the parts and venues wanted, of every recording."""
    kept = recordings(bench)
    declared = declared_trials(bench)
    seen = registered(bench.variant, declared=declared is not None)
    return [
        record(
            one,
            columns,
            part=part,
            venue=venue,
            warm_up=warm_up_of(bench),
            seen=seen,
            declared=declared,
            seed=bench.seed,
        )
        for one, columns in zip(kept, said(link, [one.bars for one in kept]), strict=True)
        for part, venue in wanted
    ]


def declared_trials(bench: Bench) -> int | None:
    """How many variants were tried, where the operator or the author says so; the larger number holds."""
    author = int(bench.subject.declaration.get("trials", 0))
    return max(author, bench.trials or 0) or None


def leave_trials(bench: Bench, plugin: PluginRecord) -> None:
    """Register what was looked at, where anything was and looks are registered.

    :param plugin: whose object is judged.
    :raises OutputError: when it cannot be.
    """
    if bench.variant and "evidence" in bench.kept:
        note(bench, gather(bench), recordings(bench), plugin)


def again(bench: Bench) -> tuple[str, str]:
    """Digests of what is measured now and of the same, measured anew in another process with other hashes."""
    first = gather(bench)
    kinds = (CONTROL, *REGIMES)
    with bench.link(PYTHONHASHSEED="4242") as link:
        tallies = tallied(bench, link, kinds)
        records = recorded(bench, link, [(OUT_OF_SAMPLE, desk.USUAL)])
    return (
        _digest({kind: first.tallies[kind] for kind in kinds}, first.chosen(OUT_OF_SAMPLE)),
        _digest(tallies, records),
    )


def _digest(tallies: dict[str, Tally], records: Sequence[Record]) -> str:
    """Of every number, to the last bit."""
    return digest(
        {
            "tallies": {name: one.plain() | {"days": one.returns.tolist()} for name, one in tallies.items()},
            "records": {one.name: one.plain() for one in records},
        },
        floats=True,
    )
