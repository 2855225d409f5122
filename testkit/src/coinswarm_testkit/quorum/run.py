"""Many histories, and every mutant until it is caught; added up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from coinswarm_testkit.quorum.mutants import MUTANTS
from coinswarm_testkit.quorum.plan import CONFIGURATIONS, Sizes
from coinswarm_testkit.quorum.watch import INVARIANTS
from coinswarm_testkit.quorum.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

REAL_EVERY = 50
"""One history in so many is signed with Ed25519; the others with a keyed hash (``scheme``)."""

WITHIN = 400
"""Every mutant is caught within so many seeds."""

_SHOWN = 10


class Batch(NamedTuple):
    """Some histories of one configuration, to be run together."""

    sizes: Sizes
    first: int
    histories: int


@dataclass(slots=True)
class Tally:
    """What came of some histories."""

    histories: int = 0
    real: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another's numbers."""
        self.histories += other.histories
        self.real += other.real
        self.violations += other.violations
        self.outcomes += other.outcomes
        self.faults += other.faults
        self.examples = [*self.examples, *other.examples][:_SHOWN]


def run_batch(batch: Batch) -> Tally:
    """Run some histories."""
    tally = Tally()
    for seed in range(batch.first, batch.first + batch.histories):
        real = seed % REAL_EVERY == 0
        history = World(seed, batch.sizes, real=real).run()
        tally.histories += 1
        tally.real += real
        tally.outcomes += history.outcomes
        tally.faults += history.faults
        tally.violations += Counter({invariant for invariant, _ in history.violations})
        tally.examples += [f"{tuple(batch.sizes)} seed {seed}: {name} {what}" for name, what in history.violations]
    tally.examples = tally.examples[:_SHOWN]
    return tally


class Caught(NamedTuple):
    """How a mutant fared.

    :param seed: the first that caught it; None: none did.
    :param by: invariants violated there.
    """

    mutant: str
    seed: int | None
    by: tuple[str, ...]


def hunt(place: int, within: int = WITHIN) -> Caught:
    """Run one mutant, on each configuration in turn, until an invariant that it must break is violated."""
    mutant = MUTANTS[place]
    with mutant.active():
        for seed in range(within):
            history = World(seed, CONFIGURATIONS[seed % len(CONFIGURATIONS)]).run()
            found = {invariant for invariant, _ in history.violations}
            if found & set(mutant.catches):
                return Caught(mutant.name, seed, tuple(sorted(found, key=INVARIANTS.index)))
    return Caught(mutant.name, None, ())


def batches(histories: int, first: int, size: int = 50) -> list[Batch]:
    """Histories spread evenly over the configurations; at least as many as asked for."""
    each = -(-histories // len(CONFIGURATIONS))
    return [
        Batch(sizes, first + begin, min(size, each - begin))
        for sizes in CONFIGURATIONS
        for begin in range(0, each, size)
    ]


def table(tallies: dict[Sizes, Tally], caught: Iterable[Caught]) -> list[str]:
    """What was found, in lines."""
    total = Tally()
    lines = [
        "(N, q, f)   histories  Ed25519  accept  reject conflict expired  " + "".join(f"{i:>5}" for i in INVARIANTS)
    ]
    for sizes, tally in tallies.items():
        total.add(tally)
        lines.append(_row(str(tuple(sizes)), tally))
    lines += [_row("all", total), "", "faults injected, and what parts reported (seen ...):"]
    cells = [f"{name} {count:,}" for name, count in sorted(total.faults.items())]
    line = " "
    for cell in cells:
        if len(line) + len(cell) > 110:  # noqa: PLR2004 - the width of a page
            lines.append(line)
            line = " "
        line += f" {cell};"
    lines += [line, "", *total.examples]
    lines += ["", f"{'mutant':<32}{'caught at seed':<16}violations there"]
    for one in caught:
        lines.append(f"{one.mutant:<32}{'NOT CAUGHT' if one.seed is None else one.seed:<16}{' '.join(one.by)}")
    return lines


def _row(name: str, tally: Tally) -> str:
    numbers = "".join(f"{tally.outcomes[word]:>8,}" for word in ("accept", "reject", "conflict", "expired"))
    wrong = "".join(f"{tally.violations[invariant]:>5}" for invariant in INVARIANTS)
    return f"{name:<12}{tally.histories:>9,}{tally.real:>9,}{numbers}  {wrong}"
