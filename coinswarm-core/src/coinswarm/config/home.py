"""Where Coinswarm keeps what belongs to its user: imported data, runs, certificates."""

from __future__ import annotations

import os
from pathlib import Path

from coinswarm.errors import NotReadyError


def home() -> Path:
    """``$COINSWARM_HOME``, else ``~/.coinswarm``. Nothing is created: whoever writes makes the folder.

    :raises NotReadyError: where neither the variable nor a home folder is known.
    """
    named = os.environ.get("COINSWARM_HOME", "")
    try:
        return Path(named).expanduser() if named else Path.home() / ".coinswarm"
    except RuntimeError as error:
        raise NotReadyError(str(error).rstrip("."), remedy="set COINSWARM_HOME to a folder") from None
