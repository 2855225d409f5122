"""Profiles on small files, and fake plugins for one seat."""

from __future__ import annotations

from math import sin
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.config.profile import parse_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.config.profile import Profile

START_S = 1_514_764_800  # 2018-01-01T00:00:00Z
BODY = """\
    def decide(self, state):
        return Action(Side.BUY if state.close > state.open else Side.FLAT, 1.0, 0.5, 5.0, 10.0)
"""

RECALLS = """\
    def decide(self, state):
        return Action(Side.BUY if state.close > state.open else Side.FLAT, 0.5, 0.5, 5.0, 3.0)

    def embed(self, state):
        import numpy as np
        return np.array([state.close - state.open, 3.0], np.float32)

    def reconsider(self, action, recalled):
        return action._replace(confidence=action.confidence * (0.8 + 0.02 * len(recalled)))
"""


@pytest.fixture
def recalls() -> str:
    """Body of an agent that goes in and out with the swings of ``bars``, and is surer of what it recalls much of."""
    return RECALLS


@pytest.fixture
def bars(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of bars that swing; two decimals."""

    def made(name: str = "bars.csv", count: int = 120, *, seconds: int = 3_600, scale: float = 1.0) -> Path:
        middle = [scale * (100 + 10 * sin(i / 4)) for i in range(count + 1)]
        lines = ["timestamp_ms,open,high,low,close,volume"]
        for i in range(count):
            a, b = middle[i], middle[i + 1]
            at = (START_S + i * seconds) * 1000
            lines.append(f"{at},{a:.2f},{max(a, b) + 0.5:.2f},{min(a, b) - 0.5:.2f},{b:.2f},90.5")
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return made


@pytest.fixture
def profile(bars: Callable[..., Path]) -> Callable[..., Profile]:
    """A profile with one seat on one file; fields as given."""

    def made(agent: str = "fake", **fields: Any) -> Profile:  # noqa: ANN401
        mode = fields.pop("mode", "backtest")
        instrument: dict[str, Any] = {"symbol": "BTC/USD"}
        if mode == "backtest":
            instrument["file"] = str(bars())
        data = {
            "mode": mode,
            "plugins": [agent],
            "instruments": [instrument],
            "agents": [{"name": agent, "weight_bp": 10_000}],
            **fields,
        }
        return parse_profile(data, "p")

    return made


@pytest.fixture
def fake(site: Any, certify: Callable[..., Path]) -> Callable[..., None]:  # noqa: ANN401 - conftest's Site
    """Install a plugin ``fake`` with one agent, and certify it silver.

    :param body: of the agent class. :param declared: further fields of its ``AgentType``.
    :param settings: body of its pydantic model, if it has one.
    """

    def install(body: str = BODY, *, declared: str = "", settings: str = "", hooks: str = "") -> None:
        extra = f", {declared}" if declared else ""
        if settings:
            extra += ', settings="fake_fake.agent:Settings"'
        site.add(
            "fake",
            "@hookimpl\ndef coinswarm_agents():\n"
            f'    yield AgentType(name="fake", summary="Fake.", target="fake_fake.agent:Fake"{extra})\n' + hooks,
        )
        code = (
            "from pydantic import BaseModel, ConfigDict\n"
            "from coinswarm.contracts import ColumnarAgent, SignalAgent, Weigher\n"
            "from coinswarm.domain.action import FLAT, HOLD, Action, ActionColumns, Side\n"
            "from coinswarm.domain.intent import Exposure\n\n\n"
        )
        if settings:
            code += (
                "class Settings(BaseModel):\n    model_config = ConfigDict(extra='forbid')\n"
                + indent(settings, "    ")
                + "\n\n\n"
            )
        code += f"class Fake(SignalAgent):\n{body}\n"
        (Path(site.folder) / "fake_fake" / "agent.py").write_text(code)
        site.write_record("fake_fake")
        certify("fake")

    return install
