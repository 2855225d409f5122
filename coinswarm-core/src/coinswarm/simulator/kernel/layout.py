"""Columns of the kernel's state arrays: what stands where.

Plain integers, because numba reads module constants for free. ``columns.py`` of the engine fills
these arrays; the kernel alone changes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    I1 = np.ndarray[tuple[int], np.dtype[np.int64]]
    I2 = np.ndarray[tuple[int, int], np.dtype[np.int64]]
    Short = np.ndarray[tuple[int], np.dtype[np.int32]]


class State(NamedTuple):
    """What the kernel changes, in as few arrays as can be: numba copies an array's descriptor at each call.

    :param tab: [2 + instruments + agents, WIDTH]: scalars, settings, instruments, agents.
    :param orders: [capacity, ORDER_WIDTH].
    :param fills: [capacity, FILL_WIDTH]: order, bar, lots, ticks, fee; and the reference price, not hashed.
    :param trades: [capacity, TRADE_WIDTH], as in ``RunResult.trade_rows``.
    :param decisions: [capacity, DECISION_WIDTH], as in ``engine.result.DECISION_FIELDS``.
    """

    tab: I2
    orders: I2
    fills: I2
    trades: I2
    decisions: I2


class Series(NamedTuple):
    """What the kernel reads, and the two curves it writes.

    Bars of all instruments lie one after the other; ``PTR`` and ``PTR_END`` say where. So do the intents,
    a row for each change: ``changed`` holds the bar, ``EV`` and ``EV_END`` say where.
    """

    times: I1
    equity_at: I1
    gross_at: I1
    ts: I1
    open: I1
    high: I1
    low: I1
    close: I1
    volume: I1
    changed: I1
    exposure: Short
    size_bp: Short
    stop: I1
    take: I1
    agree: I1
    vol_bp: Short
    fund_ns: I1
    fund_ppb: I1


# Rows of the table: scalars, settings, then instruments, then agents.
SC = 0
PAR = 1
I = 2  # noqa: E741 - read as "row of instrument 0"
WIDTH = 64
# One row per order. The first thirteen are the hashed fields of S16, in their order.
O_SEQ = 0
O_PARENT = 1
O_INST = 2
O_DECIDED = 3
O_SIDE = 4
O_KIND = 5
O_LOTS = 6
O_LIMIT = 7
O_TRIGGER = 8
O_TIF = 9
O_FLAGS = 10
O_END = 11
O_REASON = 12
O_FILLED = 13
O_STATE = 14
O_TRAIL = 15
O_EXPIRE = 16
O_STOP = 17
O_TAKE = 18
O_AGREE = 19
O_BORN_REF = 20
O_INSIDE = 21
ORDER_WIDTH = 22
HASHED = 13

FILL_WIDTH = 6
TRADE_WIDTH = 10
DECISION_WIDTH = 10

# One row per instrument: what it is ...
NUM = 0
DEN = 1
MIN_UNITS = 2
SHORTABLE = 3
MAX_LOTS = 4
FIXED_LOTS = 5
PTR_END = 6
FUND_END = 7
EV_END = 8
# ... and where it stands: position, last close, room left in this bar, fee fraction carried ...
POS = 9
CLOSE = 10
CAP = 11
CARRY = 12
WORKING = 13
HERE = 14
PTR = 15
EV = 16
FUND = 17
# ... the working order in each slot (-1: none), in this order of slots ...
ENTRY_SLOT = 18
EXIT_SLOT = 19
STOP_SLOT = 20
TAKE_SLOT = 21
# ... what the desk wants, and what it may not re-enter ...
WANT_SIDE = 22
WANT_BP = 23
BLOCK_SIDE = 24
BLOCK_UNTIL = 25
BLOCK_SAID = 26
# ... and the open trade.
T_SIDE = 27
T_CASH = 28
T_FEES = 29
T_OPENED = 30
T_LOTS = 31
T_LOSS = 32
T_AGREE = 33

# One row per agent: its weight and its record, in basis points of trades and of R.
A_WEIGHT = 0
A_WINS = 1
A_LOSSES = 2
A_WON = 3
A_LOST = 4

# Scalars of the run.
ROW = 0
CASH = 1
PEAK = 2
BREAK_UNTIL = 3
GUARD_UNTIL = 4
NEXT_DAY = 5
DAY_START = 6
TRADES_TODAY = 7
LAST_EQUITY = 8
ROLL = 9
N_ORDERS = 10
N_FILLS = 11
N_TRADES = 12
N_DECISIONS = 13
FEES = 14
ADVERSE = 15
FUNDING = 16
RING_AT = 17
RING = 18
"""From here on: the times of the last protective stops (-1: none), as many as the guard counts (at most 46)."""

# Settings.
BAR = 0
START_NS = 1
START_CASH = 2
MAKER = 3
TAKER = 4
SPREAD = 5
SLIP = 6
PARTICIPATION = 7
FEE_BASE = 8
REBALANCE = 9
COOL_BARS = 10
GUARD_COUNT = 11
GUARD_BARS = 12
GUARD_PAUSE = 13
DRAWDOWN_BP = 14
DRAWDOWN_PAUSE = 15
MAX_POSITION = 16
MAX_EXPOSURE = 17
MAX_ORDER = 18
MAX_LOSS = 19
DAILY_LOSS_BP = 20
MAX_TRADES = 21
BAND = 22
REQUIRE_STOP = 23
METHOD = 24
KELLY = 25
PRIOR = 26
PROBE = 27
RISK_SCALING = 28
ENTRY_KIND = 29
OFFSET = 30
LIMIT_OFFSET = 31
TIF = 32
TTL = 33
TRAILING = 34
INSTRUMENTS = 35
AGENTS = 36
