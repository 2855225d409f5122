"""From a profile to a run plan: the only place where plugins, files and inner code meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from coinswarm.clock import SECOND_NS, SystemClock, iso
from coinswarm.config.profile import demand_text
from coinswarm.config.settings import in_full
from coinswarm.contracts import MemoryBackend, SignalAgent, Weigher
from coinswarm.domain.episode import Space
from coinswarm.domain.instrument import INT_LIMIT
from coinswarm.engine.plan import Funding, RunPlan, SeatedAgent
from coinswarm.errors import ContractError, DataError, LoadError, NotReadyError, PluginError, ProfileError, one_line
from coinswarm.feeds.files import load_bars, sample
from coinswarm.feeds.funding import load_funding
from coinswarm.feeds.length import parse_length
from coinswarm.plugins.catalogue import Catalogue, attempt, resolve
from coinswarm.plugins.history import recall, remember
from coinswarm.plugins.standing import STRICT, installed, strict
from coinswarm.plugins.watchers import tell
from coinswarm.runtime import admission
from coinswarm.runtime.admission import own_home
from coinswarm.runtime.making import construct
from coinswarm.runtime.weights import with_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from coinswarm.config.profile import Profile
    from coinswarm.config.sections import AgentSection, InstrumentSection
    from coinswarm.domain.market import Bars
    from coinswarm.engine.events import Event
    from coinswarm.feeds.loaded import Loaded
    from coinswarm.plugins.admission import Standing
    from coinswarm.plugins.records import PluginRecord
    from coinswarm.plugins.watchers import Watcher
    from coinswarm.runtime.fork import Forked
    from coinswarm.runtime.weights import Weighed

MAX_SEATS = 62
"""Agreement is a bit per seat in an int64."""


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """A profile made ready to run.

    :param plan: what the engines take.
    :param loaded: per instrument, in the plan's order, its bars and where they come from.
    :param plugins: the loaded plugins.
    :param recordings: per symbol, the file that stood in for the profile's own source.
    :param unplugged: seats whose agents come from no plugin.
    :param watchers: the plugins that are told what the run did.
    :param standings: how what is seated stands by its certificates.
    :param backend: makes the memory backend that the profile names; None without ``[memory]``.
    :param index: settings of that backend with every path in full, as a run keeps them.
    :param fork: reads what is remembered from the beginning; None where nothing is.
    :param weighed: which log decided what the seats weigh; None: the profile did.
    :param label: what messages call the profile.
    """

    profile: Profile
    plan: RunPlan
    loaded: tuple[Loaded, ...]
    plugins: tuple[PluginRecord, ...]
    recordings: dict[str, Path]
    unplugged: tuple[str, ...] = ()
    watchers: tuple[Watcher, ...] = ()
    standings: tuple[Standing, ...] = ()
    backend: Callable[[], MemoryBackend] | None = None
    fork: Callable[[], Forked] | None = None
    weighed: Weighed | None = None
    label: str = ""
    index: Mapping[str, Any] = field(default_factory=dict)

    def uncertified(self) -> list[str]:
        """A line for each seat without a certificate that counts."""
        return admission.uncertified(self.standings)

    def demand_silver(self, label: str) -> None:
        """Hold that everything seated may trade on paper.

        :raises NotReadyError: with a line for each seat that may not.
        """
        lines = admission.below_silver(self.standings)
        if lines:
            raise NotReadyError("\n".join(f"{label}: {line}" for line in lines))

    def accepted(self) -> list[dict[str, Any]]:
        """Less evidence that the operator accepts, and whether that holds now."""
        return admission.accepted(self.profile, self.standings)

    def steps_from(self) -> dict[str, str]:
        """Per symbol, whether tick and lot were given or inferred."""
        words = {}
        for one in self.loaded:
            inferred = [n for n, i in (("tick", one.report.tick_inferred), ("lot", one.report.lot_inferred)) if i]
            words[one.bars.instrument.symbol] = f"{' and '.join(inferred)} inferred" if inferred else "given"
        return words

    def tell(self, happened: Callable[[], Iterable[Event]], say: Callable[[str], None]) -> list[str]:
        """Tell the plugins that watch what happened; returns what went wrong, a line each."""
        return tell(self.watchers, happened, say=say)


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a caller hands over beside a profile.

    :param agents: by the name that the profile seats, something that makes a fresh agent.
    :param markets: bars by symbol; the profile's own source of them is not read.
    :param said: what the operator set, ``KEY=VALUE`` each: the profile has it, and commands in messages repeat it.
    """

    agents: Mapping[str, Callable[[], SignalAgent]] = field(default_factory=dict)
    markets: Mapping[str, Loaded] = field(default_factory=dict)
    said: tuple[str, ...] = ()


def assemble(
    profile: Profile, *, label: str, recordings: Mapping[str, Path] | None = None, given: Given | None = None
) -> Assembled:
    """Load the profile's plugins and data, seat its agents, and check that they fit together.

    :param label: what messages call the profile.
    :param recordings: per symbol, a file that stands in for the profile's own source.
    :param given: agents and bars that are there as objects; such agents come from no plugin.
    :raises CoinswarmError: one line for whatever does not fit.
    """
    given = given or Given()
    profile, weighed = with_weights(profile, label)
    catalogue = _catalogue(profile)
    sections = sorted(profile.instruments, key=lambda item: item.symbol)
    for item in sections:
        for what, file in (("data file", item.file), ("funding file", item.funding)):
            if file is not None:
                demand_text(what, Path(file))
    loaded = tuple(
        given.markets.get(item.symbol) or _bars(item, (recordings or {}).get(item.symbol)) for item in sections
    )
    bars = tuple(one.bars for one in loaded)
    _check_lengths(bars)
    if len(profile.agents) > MAX_SEATS:
        message = f"{label} seats {len(profile.agents)} agents, but a committee has at most {MAX_SEATS}"
        raise ProfileError(message, remedy="seat fewer")
    plan = RunPlan(
        bars=bars,
        seats=tuple(
            _seat_given(given.agents[item.name], item, bars)
            if item.name in given.agents
            else _seat(catalogue, item, bars, label, remembers=profile.memory is not None)
            for item in profile.agents
        ),
        weigher=_weigher(catalogue, profile, label),
        cash=profile.cash_units(),
        committee=profile.committee_rules(),
        sizing=profile.sizing_rules(),
        limits=profile.risk_limits(),
        costs=profile.cost_rules(),
        style=profile.order_style(),
        hole_bars=profile.hole_bars,
        start_ns=profile.start_ns(),
        funding={i.symbol: Funding(*load_funding(Path(i.funding))) for i in sections if i.funding},
        recall=profile.recall_rules(bars[0].length_ns),
    )
    _check_integers(plan)
    _check_start(plan, label)
    unplugged = tuple(item.seat for item in profile.agents if item.name in given.agents)
    return Assembled(
        profile,
        plan,
        loaded,
        tuple(catalogue.plugins.values()),
        dict(recordings or {}),
        unplugged,
        tuple(catalogue.watchers),
        admission.standings(
            profile, catalogue, label, unplugged, bar_seconds=bars[0].length_ns // SECOND_NS, said=given.said
        ),
        _backend(catalogue, profile, label),
        _fork(profile, plan),
        weighed,
        label,
        _index(catalogue, profile),
    )


def _catalogue(profile: Profile) -> Catalogue:
    """Load what the profile names, under the operator's decisions, and keep what that showed.

    :raises LoadError: in strict mode, for any installed plugin that is known to be broken.
    """
    place = own_home()
    records = installed(place, demanded=profile.trust if profile.mode == "live" else None)
    if strict():
        broken = [record for record in recall(place, records) if record.broken]
        if broken:
            lines = [f"{record.label} is {record.status} and {STRICT} is set: {record.reason}" for record in broken]
            raise LoadError("\n".join(lines))
    tried = attempt(profile.plugins, records)
    remember(place, tried.records, iso(SystemClock().now_ns()))
    return tried.whole()


def _bars(item: InstrumentSection, recording: Path | None) -> Loaded:
    """The bars of one instrument."""
    if recording is None and item.file is None and item.sample is None:
        message = f"{item.symbol} has no bars"
        raise DataError(message, remedy="set file or sample in the profile, or coinswarm trade --replay FILE")
    path = recording or (Path(item.file) if item.file is not None else sample(item.sample or item.symbol))
    return load_bars(
        path,
        symbol=item.symbol,
        bar_ns=parse_length(item.bar) if item.bar else None,
        stamp=item.stamp,
        volume=item.volume,
        tick=item.tick,
        lot=item.lot,
        min_notional=item.min_notional,
        shortable=item.shortable,
    )


def _check_lengths(bars: tuple[Bars, ...]) -> None:
    """One bar length for all instruments of a run."""
    lengths = {b.instrument.symbol: timedelta(microseconds=b.length_ns // 1000) for b in bars}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{symbol} {length}" for symbol, length in lengths.items())
        message = f"instruments differ in bar length ({found})"
        raise DataError(message, remedy="a run has one bar length: import bars of the same length")


def _check_start(plan: RunPlan, label: str) -> None:
    """A start after the last bar would measure nothing."""
    last = max(int(bars.open_ns[-1]) for bars in plan.bars) + plan.bar_ns
    if plan.start_ns >= last:
        message = f"{label}: start is {iso(plan.start_ns)}, but the bars end at {iso(last)}"
        raise ProfileError(message, remedy="start earlier, or bring later bars")


def _check_integers(plan: RunPlan) -> None:
    """S10: what the kernel multiplies must stay below 2**62."""
    for k, bars in enumerate(plan.bars):
        instrument = bars.instrument
        num, den = instrument.value_ratio
        if plan.ticks[k].low.min() < 1:
            message = f"{instrument.symbol}: prices down to {bars.low.min():g} come to no tick of {instrument.tick}"
            raise DataError(message, remedy="choose a finer tick")
        if plan.cap_ticks(k) * num * den >= INT_LIMIT or plan.max_lots(k) < 1:
            message = (
                f"{instrument.symbol}: prices up to {bars.high.max():g} in ticks of {instrument.tick} and lots of "
                f"{instrument.lot} do not fit in 64 bits"
            )
            raise DataError(message, remedy="choose a coarser tick or lot")
        first = instrument.to_ticks(float(bars.close[0]))
        if plan.cash * den // (first * num) > plan.max_lots(k):
            message = f"{instrument.symbol}: the cash buys more lots of {instrument.lot} than fit in 64 bits"
            raise DataError(message, remedy="choose a coarser lot, or less cash")


def _seat(
    catalogue: Catalogue, item: AgentSection, bars: tuple[Bars, ...], label: str, *, remembers: bool
) -> SeatedAgent:
    """Seat one agent: a fresh object per instrument.

    :param remembers: whether the profile has a memory.
    """
    declared, record = catalogue.agent(item.name)
    if declared.role != "signal":
        message = f"agent {item.name!r} has the role {declared.role!r}, which no session seats yet"
        raise NotReadyError(message, remedy="seat signal agents")
    if declared.scope != "instrument":
        message = f"agent {item.name!r} looks at the whole universe, which no session offers yet"
        raise NotReadyError(message, remedy="seat agents of one instrument at a time")
    if missing := sorted(declared.needs - {"memory"}):
        message = f"agent {item.name!r} needs {', '.join(missing)}, which no session offers yet"
        raise NotReadyError(message, remedy="seat agents that need bars, and at most memory")
    if "memory" in declared.needs and not remembers:
        message = f"agent {item.name!r} needs memory, and {label} has none"
        raise NotReadyError(message, remedy="add [memory] to the profile")
    seconds = bars[0].length_ns // 1_000_000_000
    if declared.bar_seconds not in (0, seconds):
        message = f"agent {item.name!r} is made for bars of {declared.bar_seconds} s, the data has {seconds} s"
        raise ProfileError(message, remedy="give it bars of that length")
    key = f"agents.{item.seat}.settings"
    objects = tuple(
        cast("SignalAgent", construct(declared, record, item.settings, SignalAgent, key=key, label=label)) for _ in bars
    )
    try:
        warm_up = max(declared.warm_up, *(int(agent.warm_up()) for agent in objects))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = f"{record.label}: {declared.target}.warm_up() raised {one_line(error)}"
        raise ContractError(message, remedy="its author must mend it") from error
    return SeatedAgent(item.seat, objects, item.weight_bp, warm_up, declared.reasons, *_recalls(item.name, objects[0]))


def _recalls(name: str, agent: SignalAgent) -> tuple[str, bool]:
    """The space that an agent recalls in (empty: none), and whether it makes something of its own of it.

    :raises ContractError: when it raises instead of saying so, or says what cannot be the name of a space.
    """
    reconsiders = type(agent).reconsider is not SignalAgent.reconsider
    try:
        embedding = agent.embedding()
        return (Space("any", f"{name}/{embedding}", 1).name if embedding else ""), reconsiders
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = f"agent {name!r}: embedding() {one_line(error)}"
        raise ContractError(message, remedy="its author must mend it") from error


def _seat_given(make: Callable[[], SignalAgent], item: AgentSection, bars: tuple[Bars, ...]) -> SeatedAgent:
    """Seat an agent that comes from no plugin: a fresh object per instrument."""
    try:
        objects = tuple(make() for _ in bars)
        warm_up = max(int(agent.warm_up()) for agent in objects)
    except (PluginError, KeyboardInterrupt):
        raise
    except BaseException as error:
        message = f"agent {item.name!r} cannot be made ({one_line(error)})"
        raise ContractError(message, remedy="mend its constructor or its warm_up, or give an instance") from error
    return SeatedAgent(item.seat, objects, item.weight_bp, warm_up, (), *_recalls(item.name, objects[0]))


def _weigher(catalogue: Catalogue, profile: Profile, label: str) -> Weigher:
    """The weigher that the profile names."""
    declared, record = catalogue.weigher(profile.committee.weigher)
    settings = profile.committee.settings
    return cast("Weigher", construct(declared, record, settings, Weigher, key="committee.settings", label=label))


def _backend(catalogue: Catalogue, profile: Profile, label: str) -> Callable[[], MemoryBackend] | None:
    """What makes the memory backend that the profile names; it is looked up now and made when a run begins."""
    section = profile.memory
    if section is None:
        return None
    declared, record = catalogue.memory_backend(section.backend)

    def make() -> MemoryBackend:
        key, given = "memory.settings", section.settings
        return cast(
            "MemoryBackend", construct(declared, record, given, MemoryBackend, key=key, label=label, secrets=True)
        )

    return make


def _index(catalogue: Catalogue, profile: Profile) -> dict[str, Any]:
    """The settings of the memory backend, which a replay from another folder makes again."""
    if profile.memory is None:
        return {}
    declared, record = catalogue.memory_backend(profile.memory.backend)
    return in_full(resolve(declared.settings, plugin=record) if declared.settings else None, profile.memory.settings)


def _fork(profile: Profile, plan: RunPlan) -> Callable[[], Forked] | None:
    """What reads the episodes that a run begins with."""
    section = profile.memory
    if section is None or section.store is None:
        return None
    spaces = {seat.space for seat in plan.seats if seat.space}

    def read() -> Forked:
        from coinswarm.runtime.fork import forked  # noqa: PLC0415 - a run without a store needs no log

        return forked(section.address(), section.cluster, section.shard, section.position, spaces)

    return read
