"""Hide scipy from this process: it is installed here for a peer, but not with Coinswarm alone.

numba imports ``scipy.linalg`` where it finds it, which takes about as long as numba itself.
"""

import sys

sys.modules["scipy"] = None  # type: ignore[assignment]
