"""Coinswarm in a notebook: ``backtest`` and ``load_market``, results as DataFrames.

The command line runs the same code underneath (``runtime.runs``); the same profile gives the same order hash.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from coinswarm.backtest import frames
from coinswarm.backtest.render import render
from coinswarm.backtest.report.inline import inline_market, inline_result, one_line
from coinswarm.backtest.report.page import render_report
from coinswarm.backtest.rundir import REPORT
from coinswarm.config.profile import Profile, load_profile, parse_profile
from coinswarm.contracts import SignalAgent
from coinswarm.errors import ContractError, OutputError, ProfileError
from coinswarm.feeds.files import load_bars, sample, sample_names
from coinswarm.feeds.length import parse_length
from coinswarm.runtime import runs as running
from coinswarm.runtime.admission import UNWRITTEN
from coinswarm.runtime.assembly import Given
from coinswarm.runtime.given import Number, exact, number, of_type, one_of
from coinswarm.runtime.trials import TrialRegistry

if TYPE_CHECKING:
    import pandas as pd

    from coinswarm.domain.action import Action
    from coinswarm.domain.market import Bars, MarketState
    from coinswarm.feeds.loaded import Loaded

AgentLike = str | SignalAgent | type[SignalAgent] | Callable[["MarketState"], "Action"]
"""A declared agent's name, an agent, its class, or a function from a state to an action."""

_WHOLE = 10_000
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Bars of one instrument, and what a profile says of them.

    :param section: an entry of a profile's ``[[instruments]]``.
    """

    loaded: Loaded
    section: dict[str, Any]

    @property
    def bars(self) -> Bars:
        """The bars, as agents see them."""
        return self.loaded.bars

    @property
    def symbol(self) -> str:
        """The pair."""
        return self.bars.instrument.symbol

    @property
    def frame(self) -> pd.DataFrame:
        """The bars as a DataFrame, by their open times."""
        return frames.bars_frame(self.bars)

    def __len__(self) -> int:
        return len(self.bars)

    def __repr__(self) -> str:
        return one_line(self.bars)

    def _repr_html_(self) -> str:
        return inline_market(self.bars)


def load_market(  # noqa: PLR0913 - each is one thing that a file does not say about itself
    source: str | Path,
    *,
    symbol: str | None = None,
    tick: Number | None = None,
    lot: Number | None = None,
    min_notional: Number = 0,
    shortable: bool = False,
    bar: str | None = None,
    stamp: Literal["open", "close"] = "open",
    volume: Literal["base", "quote"] = "base",
) -> Market:
    """Load the bars of one instrument.

    :param source: a file, or the symbol of a sample that ships (``BTC/USD``, ``ETH/USD``).
    :param symbol: ``BASE/QUOTE``; else from the file, or guessed from its name.
    :param tick: smallest price step; inferred from the file where it is not given. ``lot`` likewise.
    :param bar: length of a bar such as ``1h``; inferred where it is not given.
    :param stamp: whether the file stamps a bar with its open or its close.
    :param volume: whether the file's volume is in base or quote.
    :raises DataError: for anything wrong with the file, or with what is said of it.
    """
    shown = (
        f"name a file, or a sample ({', '.join(sample_names())}); write a DataFrame to one with to_csv or to_parquet"
    )
    of_type("a market", source, (str, Path), shown)
    for name, word in (("symbol", symbol), ("bar", bar)):
        of_type(name, word, (str, type(None)), f'write {name}="{"BTC/USD" if name == "symbol" else "1h"}"')
    of_type("shortable", shortable, bool, "give True or False")
    one_of("stamp", stamp, ("open", "close"))
    one_of("volume", volume, ("base", "quote"))
    shipped = str(source) in sample_names()
    path = sample(str(source)) if shipped else Path(source).expanduser()
    steps = {name: number(name, value) for name, value in (("tick", tick), ("lot", lot))}
    least = number("min_notional", min_notional) or Decimal(0)
    loaded = load_bars(
        path,
        symbol=str(source) if shipped and symbol is None else symbol,
        bar_ns=parse_length(bar) if bar else None,
        stamp=stamp,
        volume=volume,
        tick=steps["tick"],
        lot=steps["lot"],
        min_notional=least,
        shortable=shortable,
    )
    section = {
        "symbol": loaded.bars.instrument.symbol,
        ("sample" if shipped else "file"): str(source) if shipped else str(path),
        **{name: step for name, step in steps.items() if step is not None},
        "min_notional": least,
        "shortable": shortable,
        "stamp": stamp,
        "volume": volume,
        **({"bar": bar} if bar else {}),
    }
    return Market(loaded, section)


def backtest(  # noqa: PLR0913 - what a newcomer sets first has a name of its own
    profile: str | Path | Mapping[str, Any] | Profile | None = None,
    *,
    agents: AgentLike | Sequence[AgentLike] | Mapping[str, AgentLike] | None = None,
    market: Market | str | Path | Sequence[Market | str | Path] | None = None,
    cash: Number | None = None,
    costs: Mapping[str, Any] | None = None,
    runs: str | Path | None = None,
    engine: running.Engine = "columns",
    trial: bool = True,
    **keys: Any,  # noqa: ANN401 - any key of a profile
) -> Result:
    """Run agents on recorded bars, and return what became of it.

    What is given here stands above what the profile says; all weights are equal unless the profile has them.

    :param profile: a TOML file, a template's name (``demo``, ``backtest``), a dict, or none.
    :param agents: who decides: classes, instances, functions from a state to an action, or names of
        declared agents; a mapping gives them names.
    :param market: what they trade: from ``load_market``, or what that takes.
    :param cash: at the start, in the currency of the instruments' quotes.
    :param costs: keys of ``[costs]``, as in ``{"taker_bps": 10}``.
    :param runs: a folder to keep the run in, as ``coinswarm backtest`` does; None keeps nothing.
    :param engine: ``columns`` or ``steps``; both give the same order hash.
    :param trial: whether the run counts as a trial (S23), as on the command line.
    :param keys: other keys of a profile: ``risk={"daily_loss_bp": 300}``, ``seed=7``, ``start="2018-01-01T00:00Z"``.
    :raises CoinswarmError: one line for whatever does not fit.
    """
    one_of("engine", engine, ("columns", "steps"))
    label = str(profile) if isinstance(profile, str | Path) else UNWRITTEN
    data = _base(profile)
    unplugged: dict[str, Callable[[], SignalAgent]] = {}
    markets = _markets(market)
    if markets:
        data["instruments"] = [one.section for one in markets]
    if agents is not None:
        seats, unplugged = _seats(agents)
        data["agents"] = seats
        if "plugins" not in keys:
            named = [seat["name"] for seat in seats if seat["name"] not in unplugged]
            listed = data.get("plugins") or []
            data["plugins"] = list(dict.fromkeys([*listed, *named])) if isinstance(listed, list) else listed
    given_keys = {**keys, **({"cash": cash} if cash is not None else {}), **({"costs": costs} if costs else {})}
    for key, value in given_keys.items():
        below = data.get(key)
        data[key] = {**below, **value} if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    for missing, remedy in (("instruments", 'market="BTC/USD"'), ("agents", "agents=MyAgent")):
        if not data.get(missing):
            message = f"backtest was given no {missing}"
            raise ProfileError(message, remedy=f"pass {remedy}, or a profile that has them")
    name = label if label.endswith(".toml") else f"profile {label}"
    checked = parse_profile(exact(data), name)
    given = Given(unplugged, {one.symbol: one.loaded for one in markets})
    registry = TrialRegistry() if trial else None
    folder = Path(runs) if runs is not None else None
    return Result(running.backtest(checked, label=name, runs=folder, engine=engine, trials=registry, given=given))


class Result:
    """A finished run: its numbers as DataFrames, its report, and a picture of itself in a notebook.

    Times are aware UTC; prices are in quote, quantities in base, money in the settlement currency. Whoever asks for a
    frame gets a copy: what is done to it changes no later answer.
    """

    def __init__(self, finished: running.Finished) -> None:
        self._finished = finished
        self._frames: dict[str, pd.DataFrame] = {}

    @property
    def path(self) -> Path | None:
        """The run's folder; None where it was not kept."""
        return self._finished.path

    @property
    def order_hash(self) -> str:
        """What was ordered and filled, as one hash (S16)."""
        return self._finished.result.order_hash

    def to_dict(self) -> dict[str, Any]:
        """Everything that ``coinswarm backtest --json`` shows."""
        return copy.deepcopy(self._finished.summary)

    @property
    def summary(self) -> pd.DataFrame:
        """The measures, with intervals and buy-and-hold beside them."""
        return self._frame("summary", lambda: frames.summary_frame(self._finished.summary))

    @property
    def equity(self) -> pd.DataFrame:
        """Equity, exposure, drawdown and buy-and-hold at every mark."""
        return self._frame("equity", lambda: frames.equity_frame(self._finished.facts))

    @property
    def daily(self) -> pd.DataFrame:
        """Equity and return per UTC day."""
        return self._frame("daily", lambda: frames.daily_frame(self._finished.facts))

    @property
    def orders(self) -> pd.DataFrame:
        """Every order, and how it ended."""
        return self._frame("orders", lambda: frames.table_frame(self._finished.result, "orders"))

    @property
    def fills(self) -> pd.DataFrame:
        """Every fill."""
        return self._frame("fills", lambda: frames.table_frame(self._finished.result, "fills"))

    @property
    def trades(self) -> pd.DataFrame:
        """Every closed trade."""
        return self._frame("trades", lambda: frames.table_frame(self._finished.result, "trades"))

    @property
    def decisions(self) -> pd.DataFrame:
        """Every intent that changed, and every refusal."""
        return self._frame("decisions", lambda: frames.table_frame(self._finished.result, "decisions"))

    @property
    def actions(self) -> pd.DataFrame:
        """What every agent said at every bar."""
        return self._frame("actions", lambda: frames.actions_frame(self._finished.facts))

    def _frame(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """A copy of a frame, which is made once."""
        if name not in self._frames:
            self._frames[name] = make()
        return self._frames[name].copy()

    def html(self) -> str:
        """The whole report as HTML."""
        return render_report(self._finished.facts).decode()

    def report(self, path: str | Path | None = None) -> Path:
        """Where the report is: of a kept run in its folder, else written to ``path``.

        :param path: a file; ``report-<order hash>.html`` in the working directory if None and the run was not kept.
        :raises OutputError: when it cannot be written.
        """
        if path is None and self.path is not None and (self.path / REPORT).exists():
            return self.path / REPORT
        target = Path(path) if path is not None else Path(f"report-{self.order_hash[:8]}.html")
        try:
            target.write_text(self.html(), encoding="utf-8")
        except OSError as error:
            message = f"{target} cannot be written ({error.strerror or error})"
            raise OutputError(message, remedy="name another file") from error
        return target

    def __str__(self) -> str:
        return render(self._finished.summary)

    def __repr__(self) -> str:
        found = {m["name"]: m["value"] for m in self._finished.summary["measures"]}
        told = [
            f"{name} {found[key]:.{places}{kind}}"
            for name, key, places, kind in (
                ("return", "total_return", 2, "%"),
                ("Sharpe", "sharpe", 2, "f"),
                ("drawdown", "max_drawdown", 1, "%"),
            )
            if found[key] is not None
        ]
        return (
            f"<Result: {', '.join(told)}, {self._finished.summary['trades']} trades, order hash {self.order_hash[:8]}>"
        )

    def _repr_html_(self) -> str:
        return inline_result(self._finished.facts)


class Function(SignalAgent):
    """An agent that is a function from a state to an action."""

    def __init__(self, decide: Callable[[MarketState], Action]) -> None:
        self._decide = decide

    def decide(self, state: MarketState) -> Action:
        """Ask the function."""
        return self._decide(state)


def _base(profile: str | Path | Mapping[str, Any] | Profile | None) -> dict[str, Any]:
    """What a profile says, as plain tables."""
    if profile is None:
        return {"mode": "backtest"}
    if isinstance(profile, Mapping):
        return {"mode": "backtest", **copy.deepcopy(dict(profile))}
    of_type("a profile", profile, (str, Path, Profile), "name a TOML file or a template, or give a dict")
    read = profile if isinstance(profile, Profile) else load_profile(profile)
    told = read.canonical()
    if read.memory is not None:
        told["memory"]["settings"] = dict(read.memory.settings)  # which know the profile's folder
    return told


def _markets(given: Market | str | Path | Sequence[Market | str | Path] | None) -> list[Market]:
    """One market or several, loaded."""
    if given is None:
        return []
    several = list(given) if isinstance(given, Sequence) and not isinstance(given, Market | str) else [given]
    return [one if isinstance(one, Market) else load_market(one) for one in several]


def _seats(
    given: AgentLike | Sequence[AgentLike] | Mapping[str, AgentLike],
) -> tuple[list[dict[str, Any]], dict[str, Callable[[], SignalAgent]]]:
    """Seats of equal weight, and the agents among them that are no names."""
    if isinstance(given, Mapping):
        named = [(str(name), agent) for name, agent in given.items()]
    else:
        several = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
        named = [(_name(agent), agent) for agent in several]
    if not named:
        message = "agents is empty"
        raise ProfileError(message, remedy="give at least one agent")
    seats: list[dict[str, Any]] = []
    makers: dict[str, Callable[[], SignalAgent]] = {}
    for place, (wished, agent) in enumerate(named):
        weight = _WHOLE // len(named) + (place < _WHOLE % len(named))
        taken = {seat.get("id", seat["name"]) for seat in seats}
        name = next(n for n in (wished, *(f"{wished}-{i}" for i in range(2, len(named) + 2))) if n not in taken)
        if isinstance(agent, str):
            seats.append({"name": agent, "weight_bp": weight} | ({"id": name} if name != agent else {}))
        else:
            seats.append({"name": name, "weight_bp": weight})
            makers[name] = _maker(agent)
    return seats, makers


def _maker(agent: object) -> Callable[[], SignalAgent]:
    """What makes a fresh agent of a class, an instance or a function.

    :raises ContractError: for anything else.
    """
    if isinstance(agent, SignalAgent):
        return lambda: copy.deepcopy(agent)
    if isinstance(agent, type) and issubclass(agent, SignalAgent):
        if missing := sorted(agent.__abstractmethods__):
            message = f"agent {agent.__name__} does not implement {', '.join(missing)}"
            raise ContractError(message, remedy="write it: def decide(self, state) -> Action")
        return agent
    if not isinstance(agent, type) and callable(agent):
        return lambda: Function(agent)
    what = agent.__name__ if isinstance(agent, type) else repr(agent)
    message = f"{what} is no agent"
    raise ContractError(message, remedy="derive it from coinswarm.contracts.SignalAgent, or give a function")


def _name(agent: object) -> str:
    """``fast-trend`` for ``FastTrend``: how a profile may call it."""
    if isinstance(agent, str):
        return agent
    called = str(getattr(agent, "__name__", type(agent).__name__))
    words = "-".join(word.lower() for word in _WORDS.findall(called))
    return words if words[:1].isalpha() else f"agent-{words}".rstrip("-")
