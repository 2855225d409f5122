"""Operations on what a signal agent leaves of the process that it shares with core: the settings of everybody in it."""

from __future__ import annotations

import decimal
import locale
import os
import signal
import time
from typing import TYPE_CHECKING

import numpy as np

from coinswarm_testkit.replay import decided, said

if TYPE_CHECKING:
    from coinswarm.domain.market import Bars
    from coinswarm_testkit.worker.place import Place


def changed(place: Place, *, bars: Bars) -> list[str]:
    """What is set otherwise after an agent was made and has decided; decimals and numpy are set back."""
    with decimal.localcontext(), np.errstate():
        before = _settings()
        said(place.new(), bars)
        decided(place.new(), bars, begin=len(bars) - 3)
        after = _settings()
    return [f"{name} ({before[name]}, then {after[name]})" for name in before if before[name] != after[name]]


def _settings() -> dict[str, str]:
    """Settings of the process that core's own numbers, files and end depend on, in words."""
    context, default = decimal.getcontext(), decimal.DefaultContext
    return {
        "the precision of decimals": f"{context.prec} {default.prec}",
        "the rounding of decimals": f"{context.rounding} {default.rounding}",
        "the traps of decimals": ", ".join(sorted(trap.__name__ for trap, is_set in context.traps.items() if is_set)),
        "what numpy does about errors": str(np.geterr()),
        "the working folder": os.getcwd(),  # noqa: PTH109 - in words
        "the locale": locale.setlocale(locale.LC_ALL),
        "the time zone": " ".join(time.tzname),
        **{f"who hears {one.name}": str(signal.getsignal(one)) for one in (signal.SIGINT, signal.SIGTERM)},
    }


OPERATIONS = {"changed": changed}
