"""Where Coinswarm keeps what belongs to its user: imported data, runs, certificates."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """``$COINSWARM_HOME``, else ``~/.coinswarm``. Nothing is created: whoever writes makes the folder.

    :raises RuntimeError: where neither the variable nor a home folder is known.
    """
    named = os.environ.get("COINSWARM_HOME", "")
    return Path(named).expanduser() if named else Path.home() / ".coinswarm"
