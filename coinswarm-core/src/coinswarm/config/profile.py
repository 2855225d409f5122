"""A profile: everything a run needs to know, from TOML, checked before anything starts."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from coinswarm.clock import to_ns
from coinswarm.config.demands import AcceptSection, DemandSection, EvidenceSection
from coinswarm.config.fields import FULL_BP, Count, Moment, Money, Name, Section, units
from coinswarm.config.messages import Loc, explain, origin
from coinswarm.config.sections import (
    AgentSection,
    CommitteeSection,
    CostsSection,
    DriversSection,
    InstrumentSection,
    LogSection,
    MemorySection,
    OrdersSection,
    RiskSection,
    SizingSection,
)
from coinswarm.config.sources import anchored, apply_override, parse_override, read_toml
from coinswarm.config.swarm import SwarmSection, anchor_swarm
from coinswarm.errors import ProfileError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from coinswarm.committee.rules import CommitteeRules
    from coinswarm.execution.style import OrderStyle
    from coinswarm.memory.recall.rules import RecallRules
    from coinswarm.risk.limits import RiskLimits, SizingRules
    from coinswarm.simulator.costs import Costs

Mode = Literal["backtest", "paper", "live"]
TEMPLATES = Path(__file__).parent / "templates"


class Profile(Section):
    """A whole profile.

    :param mode: what kind of run it is for.
    :param seed: of everything that draws numbers.
    :param plugins: the plugins to load, by name; core is always there.
    :param cash: starting cash in the settlement currency.
    :param start: nothing is traded before it; the prefix is warm-up. From the anchor if absent.
    :param hole_bars: consecutive missing bars that make a hole.
    :param memory: what agents recall from; None: nothing.
    :param swarm: the quorum, where there is one.
    :param demand: numbers that a certificate must reach before it trades live.
    :param accept_evidence: agents that may trade live below them, for a while.
    :param trust: plugins trusted to trade live, by digest.
    """

    mode: Mode = Field(description="backtest, paper or live")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    plugins: list[Name] = Field(default_factory=list)
    cash: Annotated[Money, Field(gt=0)] = Decimal(10_000)
    start: Moment | None = None
    hole_bars: Annotated[Count, Field(ge=1)] = 3
    instruments: list[InstrumentSection] = Field(description="one [[instruments]] per pair", min_length=1)
    agents: list[AgentSection] = Field(description="one [[agents]] per seat", min_length=1)
    committee: CommitteeSection = CommitteeSection()
    sizing: SizingSection = SizingSection()
    risk: RiskSection = RiskSection()
    costs: CostsSection = CostsSection()
    orders: OrdersSection = OrdersSection()
    memory: MemorySection | None = None
    evidence: EvidenceSection = EvidenceSection()
    drivers: DriversSection = DriversSection()
    demand: DemandSection = DemandSection()
    swarm: SwarmSection | None = None
    accept_evidence: list[AcceptSection] = Field(default_factory=list)
    trust: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _cross_checks(self) -> Self:
        problems = [*self._name_problems(), *self._weight_problems(), *self._instrument_problems()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _name_problems(self) -> list[str]:
        """What is named twice."""
        listed = {
            "plugins": (self.plugins, "name each once"),
            "agents": ([agent.seat for agent in self.agents], "give each seat an id of its own"),
            "instruments": ([item.symbol for item in self.instruments], "name each symbol once"),
        }
        return [
            f"{key}: {name!r} is there {count} times: {remedy}"
            for key, (names, remedy) in listed.items()
            for name, count in Counter(names).items()
            if count > 1
        ]

    def _weight_problems(self) -> list[str]:
        """Whether the weights make a whole."""
        total = sum(agent.weight_bp for agent in self.agents)
        if total == FULL_BP:
            return []
        terms = " + ".join(f"{agent.seat} {agent.weight_bp}" for agent in self.agents)
        change = f"add {FULL_BP - total}" if total < FULL_BP else f"take away {total - FULL_BP}"
        return [f"agents: weight_bp sums to {total} ({terms}), not {FULL_BP}: {change}"]

    def _instrument_problems(self) -> list[str]:
        """Whether the instruments can share one account, and have bars."""
        problems = []
        quotes = sorted({item.quote for item in self.instruments})
        if len(quotes) > 1:
            problems.append(
                f"instruments: quoted in {' and '.join(quotes)}, but a run has one settlement currency: "
                "choose pairs with the same quote"
            )
        for item in self.instruments:
            if self.mode == "backtest" and item.file is None and item.sample is None:
                problems.append(f"instruments: {item.symbol} has no bars: set file or sample")
            if self.mode == "live" and (item.file is not None or item.sample is not None):
                problems.append(f"instruments: {item.symbol} trades live, not from a file: remove file and sample")
        symbols = {item.symbol for item in self.instruments}
        if self.sizing.method == "lots" and symbols != set(self.sizing.fixed_lots):
            wrong = ", ".join(sorted(symbols ^ set(self.sizing.fixed_lots)))
            problems.append(f"sizing: fixed_lots and the instruments differ in {wrong}: give each symbol its lots")
        return problems

    @property
    def symbols(self) -> list[str]:
        """The instruments' symbols, sorted as the engine numbers them."""
        return sorted(item.symbol for item in self.instruments)

    def committee_rules(self) -> CommitteeRules:
        """``[committee]`` as the engine takes it."""
        return self.committee.rules()

    def sizing_rules(self) -> SizingRules:
        """``[sizing]`` as the engine takes it."""
        return self.sizing.rules(self.symbols)

    def risk_limits(self) -> RiskLimits:
        """``[risk]`` as the gate takes it."""
        return self.risk.rules()

    def cost_rules(self) -> Costs:
        """``[costs]`` as the simulator takes it."""
        return self.costs.rules()

    def order_style(self) -> OrderStyle:
        """``[orders]`` as the engine takes it."""
        return self.orders.rules()

    def recall_rules(self, bar_ns: int) -> RecallRules | None:
        """``[memory]`` as recall takes it; None without one.

        :param bar_ns: length of a bar.
        """
        return None if self.memory is None else self.memory.rules(bar_ns)

    def cash_units(self) -> int:
        """Starting cash in money units of 1e-8."""
        return units(self.cash)

    def start_ns(self) -> int:
        """``start`` in nanoseconds since the epoch; 0 where it is not set."""
        return to_ns(self.start) if self.start is not None else 0

    def canonical(self) -> dict[str, Any]:
        """Every value in force, defaults included, ready for JSON and for ``parse_profile``.

        Secrets stand as the references that the profile holds.
        """
        left: dict[str, Any] = {}
        for key in ("memory", "swarm"):
            if getattr(self, key) is None:
                left[key] = True
        if self.committee.store is None:
            left["committee"] = set(LogSection.model_fields)
        return self.model_dump(mode="json", exclude=left)


def load_profile(name: str | Path, overrides: Sequence[str] = ()) -> Profile:
    """Read and check a profile.

    Paths in a profile are relative to its folder, paths in overrides to the working directory.

    :param name: a template's name (``demo``, ``backtest``, ``paper``, ``live``) or the path of a TOML file.
    :param overrides: ``KEY=VALUE`` each, as given to ``--set``.
    :raises ProfileError: with one line per finding.
    """
    path, label = _locate(name)
    data = read_toml(path)
    if path.parent != TEMPLATES:
        _anchor_paths(data, path.parent)
    places = [apply_override(data, *parse_override(text)) for text in overrides]

    return _validated(data, origin(places, label))


def parse_profile(data: Mapping[str, Any], label: str) -> Profile:
    """Check a profile that is already read, as ``canonical()`` gives it.

    :param label: names where it came from in errors.
    :raises ProfileError: with one line per finding.
    """
    return _validated(data, lambda _loc: label)


def template_names() -> list[str]:
    """The names of the shipped profiles."""
    return sorted(path.stem for path in TEMPLATES.glob("*.toml"))


def _validated(data: Mapping[str, Any], source: Callable[[Loc], str]) -> Profile:
    try:
        return Profile.model_validate(dict(data))
    except ValidationError as error:
        raise ProfileError(explain(error, Profile, source)) from None


def _locate(name: str | Path) -> tuple[Path, str]:
    """The file of a profile, and what messages call it."""
    if str(name) in template_names():
        return TEMPLATES / f"{name}.toml", f"profile {name}"
    path = Path(anchored(str(name), Path()))
    if not path.exists():
        message = f"profile {str(name)!r} is neither a file nor a template"
        raise ProfileError(message, remedy=nearest(str(name), template_names()))
    demand_text("profile", path)
    return path, str(path)


def demand_text(what: str, path: Path) -> None:
    """Hold that a run's record can name a file, by its absolute path.

    :param what: the file is.
    :raises ProfileError: where its name, or its folder's, is no text.
    """
    for name in (str(path), realpath(path)):
        try:
            name.encode()
        except UnicodeEncodeError:
            message = f"the name of the {what} {name!r} is not text"
            raise ProfileError(message, remedy="rename it, or its folder, in UTF-8") from None


def _anchor_paths(data: dict[str, Any], folder: Path) -> None:
    """Make the paths of a profile relative to the working directory, in place."""
    for section in (data.get("committee"), data.get("memory")):
        store = section.get("store") if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(store, str) and store and "://" not in store:
            section["store"] = anchored(store, folder)
    anchor_swarm(data, folder)
    entries = data.get("instruments")
    for entry in entries if isinstance(entries, list) else []:
        for key in ("file", "funding"):
            if isinstance(entry, dict) and isinstance(entry.get(key), str) and entry[key]:
                entry[key] = anchored(entry[key], folder)
