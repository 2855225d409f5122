"""The trial registry: every backtest leaves its daily returns, so that luck can be counted (S23).

One file per trial in ``$COINSWARM_HOME/trials/``, named by what was tried and when the history lies; nothing
is ever changed or removed. Files rather than a database, because a sweep writes from many processes, later
from many machines on one network disk, where SQLite's locks do not hold: a file is written under
another name, put on the disk and linked into place, so that writers never wait, never meet, and a killed one
leaves nothing that counts. The price is that counting reads them all (see ``docs/trials.md``).
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import os
import platform
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm import __version__
from coinswarm.canonical import canonical_json, decimal_text, digest
from coinswarm.clock import DAY_NS, SystemClock, iso
from coinswarm.config.home import home
from coinswarm.errors import CoinswarmError, DataError, NotReadyError, UnknownNameError, nearest
from coinswarm.evidence.days import cut_days
from coinswarm.evidence.trials import Trial

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coinswarm.clock import Clock
    from coinswarm.contracts import SignalAgent
    from coinswarm.engine.result import RunResult
    from coinswarm.evidence.days import Days
    from coinswarm.runtime.assembly import Assembled

TRIAL_SCHEMA = "coinswarm.trial/1"
_TMP = ".tmp-"
_ID_DIGITS = 24
_NOT_TRADING = {
    "mode", "seed", "plugins", "instruments", "agents", "start", "drivers", "demand", "trust", "evidence",
    "accept_evidence",
}  # fmt: skip
"""Keys of a profile that change no order, or that a variant holds in another form."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredTrial:
    """A trial as it is on disk.

    :param record: all of its file but the returns.
    :param returns: float64[n], daily returns from ``record["first_day"]`` on.
    """

    record: dict[str, Any]
    returns: np.ndarray[tuple[int], np.dtype[np.float64]]

    @property
    def trial(self) -> Trial:
        """What the statistics need of it."""
        return Trial(int(self.record["first_day"]), self.returns)

    def meets(self, symbols: Sequence[str], first_day: int, days: int) -> bool:
        """Whether it shares an instrument and a day with a run."""
        own = int(self.record["first_day"])
        overlap = own < first_day + days and first_day < own + len(self.returns)
        return overlap and not set(symbols).isdisjoint(self.record["instruments"])


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What the registry knows of the history of one run.

    :param trials: the trials that share instrument and time with it, itself among them; None: unknown.
    :param why: why they are unknown.
    :param fault: whether that is a fault of the registry, and not what the caller asked for.
    """

    trials: tuple[Trial, ...] | None
    why: str = ""
    fault: bool = False


UNASKED = Tried(None, "this run is not in the trial registry")
"""For runs that are no trial, or whose caller keeps no registry."""


class TrialRegistry:
    """The trials in one folder.

    :param root: the folder, made when the first trial is written; ``$COINSWARM_HOME/trials`` if None.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """The folder.

        :raises NotReadyError: where no home folder is known.
        """
        return home() / "trials" if self._root is None else self._root

    def add(self, record: dict[str, Any], returns: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
        """Write a trial; one that is there already stays as it is.

        :param record: as ``describe`` gives it.
        :returns: whether it is new.
        :raises OSError: when it cannot be written; nothing of it stays.
        """
        path = self.root / f"{record['id']}.json"
        if path.exists():
            return False
        values = np.ascontiguousarray(returns, dtype="<f8").tobytes()
        whole = {**record, "returns": base64.b64encode(values).decode()}
        whole["digest"] = digest(whole, floats=True)
        self.root.mkdir(parents=True, exist_ok=True)
        self._clean()
        staged = self.root / f"{_TMP}{os.getpid()}-{secrets.token_hex(4)}"
        try:
            with staged.open("xb") as file:
                file.write(json.dumps(whole, indent=1, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(staged, path)  # never replaces, unlike a rename
            except FileExistsError:
                return False
            except OSError:  # a file system without links
                staged.replace(path)
        finally:
            with suppress(OSError):
                staged.unlink()
        return True

    def _clean(self) -> None:
        """Remove what killed processes left more than a day ago; another process may do the same."""
        for left in self.root.glob(f"{_TMP}*"):
            with suppress(OSError):
                if SystemClock().now_ns() - left.stat().st_mtime_ns > DAY_NS:
                    left.unlink()

    def paths(self) -> list[Path]:
        """The files of all trials, by name; none where there is no folder.

        :raises OSError: when the folder cannot be read.
        """
        try:
            return sorted(path for path in self.root.iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            return []

    def read(self, path: Path) -> StoredTrial:
        """One trial, held against its digest.

        :raises DataError: when it cannot be read, or is not what was written.
        """
        try:
            whole = json.loads(path.read_bytes())
            wanted = whole.pop("digest")
            fits = whole["schema"] == TRIAL_SCHEMA and wanted == digest(whole, floats=True)
            returns = np.frombuffer(base64.b64decode(whole.pop("returns"), validate=True), "<f8").astype(np.float64)
        except OSError as error:
            message = f"{path} cannot be read ({error.strerror or error})"
            raise DataError(message, remedy="check its rights") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            message = f"{path} is not a trial ({type(error).__name__})"
            raise DataError(message, remedy="move it away; its trial is then not counted any more") from error
        if not fits:
            message = f"{path} was altered or damaged: it does not have the digest {wanted}"
            raise DataError(message, remedy="move it away; its trial is then not counted any more")
        return StoredTrial(whole, returns)

    def all(self) -> list[StoredTrial]:
        """Every trial.

        :raises DataError: when one of them is damaged: without it the count would be wrong.
        :raises OSError: when the folder cannot be read.
        """
        return [self.read(path) for path in self.paths()]

    def find(self, name: str) -> StoredTrial:
        """The trial whose id begins with ``name``.

        :raises NotReadyError: when there is none at all.
        :raises UnknownNameError: when none, or more than one, begins so.
        """
        names = [path.stem for path in self.paths()]
        found = [one for one in names if name and one.startswith(name)]
        if len(found) == 1:
            return self.read(self.root / f"{found[0]}.json")
        if not names:
            message = f"there is no trial in {self.root}"
            raise NotReadyError(message, remedy="every 'coinswarm backtest' leaves one")
        message = f"{len(found) or 'no'} trials in {self.root} begin with {name!r}"
        raise UnknownNameError(message, remedy=nearest(name, found or names) if len(names) < 10 else "name it whole")  # noqa: PLR2004 - a line, not a page


def note_trial(
    ready: Assembled, result: RunResult, registry: TrialRegistry, clock: Clock | None = None, label: str = ""
) -> Tried:
    """Record a run as a trial, and say what else was tried on its history; never raises.

    :param label: what messages call the profile.
    """
    try:
        days = measured_days(ready, result)
        record = describe(ready, result, days, clock or SystemClock(), label)
        registry.add(record, days.returns)
        symbols, first = record["instruments"], record["first_day"]
        return Tried(tuple(t.trial for t in registry.all() if t.meets(symbols, first, len(days))))
    except (OSError, CoinswarmError) as error:
        return unusable(error)
    except Exception as error:  # noqa: BLE001 - a finished run is worth more than its entry here
        return Tried(None, f"the trial registry failed ({type(error).__name__}: {error})", fault=True)


def unusable(error: OSError | CoinswarmError) -> Tried:
    """What is known where the registry cannot be used: nothing, whatever is declared."""
    if isinstance(error, CoinswarmError):
        told = error.message
    else:
        told = f"{error.filename}: {error.strerror or error}" if error.filename else error.strerror or str(error)
    return Tried(None, f"the trial registry cannot be used ({told})", fault=True)


def measured_days(ready: Assembled, result: RunResult) -> Days:
    """The days of a run that count: those from the profile's start on."""
    shown = slice(int(np.searchsorted(result.times_ns, ready.plan.start_ns)), None)
    return cut_days(
        result.times_ns[shown], result.bar_ns, result.equity[shown], result.exposure_units[shown], result.cash
    )


def describe(ready: Assembled, result: RunResult, days: Days, clock: Clock, label: str) -> dict[str, Any]:
    """What a trial's file says beside the returns.

    Its id is the digest of the variant, the instruments and the days: the same tried twice has one id.
    """
    made = variant(ready, result)
    first = int(days.day[0]) if len(days) else 0
    symbols = list(result.symbols)
    span = {"variant": digest(made, floats=True), "instruments": symbols, "first_day": first, "days": len(days)}
    profile = ready.profile
    return {
        "schema": TRIAL_SCHEMA,
        "id": trial_id(span),
        **span,
        "from": iso(first * DAY_NS)[:10],
        "to": iso((first + len(days)) * DAY_NS)[:10],
        "bar_ns": result.bar_ns,
        "label": label.removeprefix("profile "),
        "agents": [
            {"seat": seat.name, "weight_bp": seat.weight_bp, "settings": digest(entry["settings"], floats=True)}
            for seat, entry in zip(ready.plan.seats, made["agents"], strict=True)
        ],
        "profile": digest(profile.canonical(), floats=True),
        "order_hash": result.order_hash,
        "plugins": [{"name": p.name, "distribution": p.distribution, "version": p.version} for p in ready.plugins],
        "made_with": {"coinswarm-core": __version__, "python": platform.python_version(), "numpy": np.__version__},
        "created": iso(clock.now_ns()),
    }


def trial_id(span: dict[str, Any]) -> str:
    """The name of a trial: what was tried, on which instruments, from which day on and for how many."""
    return digest(span)[:_ID_DIGITS]


def variant(ready: Assembled, result: RunResult) -> dict[str, Any]:
    """Everything that makes one trial another: agents and weigher with their code, weights, rules, costs, grid.

    Not the data's digest, nor the file it came from: one bar more or less makes no new idea. Agents that come
    from no plugin may have settings that nothing tells: there, other orders make another variant.
    """
    profile = ready.profile.canonical()
    rules = {key: value for key, value in profile.items() if key not in _NOT_TRADING}
    read: dict[str, str] = {}
    return {
        "rules": rules,
        "orders": result.order_hash if ready.unplugged else None,
        "weigher": code_digest(type(ready.plan.weigher), read),
        "bar_ns": result.bar_ns,
        "instruments": [
            {
                "symbol": i.symbol,
                "tick": decimal_text(i.tick),
                "lot": decimal_text(i.lot),
                "min_notional": decimal_text(i.min_notional),
                "shortable": i.shortable,
                "funding": i.symbol in ready.plan.funding,
            }
            for i in result.instruments
        ],
        "agents": [
            {
                "target": f"{type(seat.agents[0]).__module__}:{type(seat.agents[0]).__qualname__}",
                "weight_bp": seat.weight_bp,
                "settings": _settings(seat.agents[0], section.settings),
                "code": code_digest(type(seat.agents[0]), read),
            }
            for seat, section in zip(ready.plan.seats, ready.profile.agents, strict=True)
        ],
    }


def _settings(agent: SignalAgent, given: dict[str, Any]) -> dict[str, Any]:
    """The agent's settings in force, defaults included, where it tells them; else what the profile gives."""
    try:
        told = agent.get_config()
        canonical_json(told, floats=True)
    except Exception:  # noqa: BLE001 - a plugin may raise or return anything
        return dict(given)
    return told or dict(given)


def code_digest(kind: type, read: dict[str, str] | None = None) -> str:
    """SHA-256 over the files of the package that a class comes from; its version says too little.

    An author who edits an agent, or trains its model anew, and runs it again has tried something else. Of a class
    from a script or a notebook, its own source counts. Core's version is no idea of its user.

    :param read: packages whose files were read already, with what came of them; this one is added. They may be
        large, and several seats' agents come from one.
    :returns: empty where the files cannot be read, and for what is core's own.
    """
    name = kind.__module__.partition(".")[0]
    if name == "coinswarm":
        return ""
    if read is not None and name in read:
        return read[name]
    module = sys.modules.get(name)
    folders = [Path(place) for place in getattr(module, "__path__", [])]
    state = hashlib.sha256(f"{name}\n".encode())
    try:
        files = [found for root in folders for found in package_files(root)]
        if not folders and name != "__main__" and (one := getattr(module, "__file__", None)):
            files = [(Path(one).name, Path(one))]
        if not files:
            state.update(inspect.getsource(kind).encode())
        add_files(state, files)
    except (OSError, TypeError):
        return ""
    if read is not None and files:
        read[name] = state.hexdigest()
    return state.hexdigest()


def package_files(root: Path) -> Iterator[tuple[str, Path]]:
    """The files of a package, by their names in it, but what Python and numba compiled of them."""
    for path in root.rglob("*"):
        if path.is_file() and path.parent.name != "__pycache__":
            yield path.relative_to(root).as_posix(), path


def add_files(state: hashlib._Hash, files: Iterable[tuple[str, Path]]) -> None:
    """Take files into a digest, with their names, in the order of these.

    :raises OSError: when one cannot be read.
    """
    for name, path in sorted(files):
        with path.open("rb") as file:
            state.update(f"{name}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
