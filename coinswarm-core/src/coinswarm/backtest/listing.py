"""Every run of a folder in one row each; a damaged one says what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coinswarm.backtest.runread import check_run, list_runs
from coinswarm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def runs_in(root: Path) -> list[dict[str, Any]]:
    """The runs below ``root``, oldest first; every file of each is held against its digest.

    A row has ``id``, ``created``, ``mode``, ``profile``, ``instruments``, ``return``, ``sharpe``,
    ``drawdown``, ``trades``, ``order_hash`` and ``damage``, which is empty for a sound run and all that
    a damaged one has beside its ``id``.
    """
    return [_row(root / name) for name in list_runs(root)]


def measure(summary: Mapping[str, Any], name: str) -> float | None:
    """The value of one measure; None where it is not defined."""
    found: float | None = next((m["value"] for m in summary["measures"] if m["name"] == name), None)
    return found


def _row(path: Path) -> dict[str, Any]:
    try:
        record = check_run(path)
        summary = record["summary"]
        return {
            "id": path.name,
            "created": record["created"],
            "mode": record["mode"],
            "profile": record.get("label", ""),
            "instruments": [i["symbol"] for i in record["instruments"]],
            "return": measure(summary, "total_return"),
            "sharpe": measure(summary, "sharpe"),
            "drawdown": measure(summary, "max_drawdown"),
            "trades": summary["trades"],
            "order_hash": record["order_hash"],
            "damage": "",
        }
    except DataError as error:
        damage = str(error).replace(f"{path}/", "")
    except (KeyError, TypeError) as error:
        damage = f"run.json lacks what a run has ({type(error).__name__}: {error})"
    return {"id": path.name, "damage": damage}
