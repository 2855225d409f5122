"""What hooks return: frozen declarations that name things by string and import nothing heavy.

A ``target`` is ``"package.module:Name"``; core imports it only when a profile seats it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["signal", "risk", "execution"]
Scope = Literal["instrument", "universe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What every declaration has.

    :param name: unique among its kind; lower case, digits and hyphens.
    :param summary: one line, for people.
    :param target: ``"package.module:Class"``, constructed with its settings.
    :param settings: ``"package.module:Model"``, a pydantic model with bounds that refuses unknown
        keys; empty when there is nothing to set.
    """

    name: str
    summary: str
    target: str
    settings: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentType(Declaration):
    """An agent that can sit in the committee.

    :param role: ``signal`` (decides), ``risk`` (shrinks or refuses) or ``execution`` (slices).
    :param bar_seconds: the bar length it is made for; 0 for any.
    :param scope: one instrument at a time, or the whole universe.
    :param warm_up: bars it needs before it decides, with default settings; the object's own
        ``warm_up()`` counts when it is larger. Core abstains on its behalf until then, and again
        after every hole.
    :param needs: what it must be given beside bars: ``memory``, ``book``, ``sentiment``, ``macro``.
    :param claims: markets in which it expects an edge (``edge:trending-up``), and those in which it abstains
        (``abstains:range-bound``); the testkit says which there are, and whether a claim holds.
    :param learns: whether ``learn`` changes its later answers; its snapshot is then versioned state.
    :param reasons: words for the reason codes of its actions, by position.
    :param trials: variants that its author tried before settling on this one, itself included (S23); 0: not said.
    :param data_cost: what the data that it needs costs a month, in US dollars; None: not said.
    """

    role: Role = "signal"
    bar_seconds: int = 0
    scope: Scope = "instrument"
    warm_up: int = 0
    needs: frozenset[str] = frozenset()
    claims: tuple[str, ...] = ()
    learns: bool = False
    reasons: tuple[str, ...] = ()
    trials: int = 0
    data_cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeigherType(Declaration):
    """A way to combine actions into an exposure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestorType(Declaration):
    """A source of observations. *Provisional* until the first ingestor lands.

    :param polled_seconds: how often ``fetch`` is called; 0 for a stream.
    :param recording: file in the plugin's package with recorded payloads and what they say, which the testkit
        plays: ``"package:path/recording.json"``.
    """

    polled_seconds: int = 0
    recording: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryType(Declaration):
    """An episodic memory backend.

    :param max_dimension: the widest vectors it takes, 1 to 4,096.
    :param exact: whether recall looks at every candidate, at any size.
    :param persistent: whether what was written survives the end of the process.
    :param trial: settings with which the testkit tries it, as a driver's.
    """

    max_dimension: int = 4_096
    exact: bool = False
    persistent: bool = True
    trial: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoterType(Declaration):
    """How one seat of the quorum judges a proposal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerType(Declaration):
    """A proposer of committee weights. *Provisional* until the first planner lands.

    :param cadence_seconds: how often it is asked.
    :param history_days: days of returns it needs before it proposes anything.
    """

    cadence_seconds: int = 86_400
    history_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverType(Declaration):
    """A driver: what an entry point of a driver group names.

    :param trial: settings with which the testkit tries it. In texts ``{folder}`` is an empty folder, ``{fresh}`` a name
        that nobody used, ``{venue}`` a venue of the testkit's, ``{env:NAME}`` an environment variable.
    """

    trial: Mapping[str, str | int | float | bool] = field(default_factory=dict)
