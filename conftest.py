"""What all test suites share: one Hypothesis profile without a random seed, and a home that is not the user's."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile

import pytest
from hypothesis import HealthCheck, settings

HOME = pytest.StashKey[str]()

# The same examples in every run: a red check can be repeated. `--hypothesis-profile=search` looks for new ones.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.register_profile(
    "search", deadline=None, max_examples=2_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts background jobs so; tests of Ctrl-C must meet it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Give this run a home of its own: trials, keys and certificates of whoever runs it change no result."""
    config.stash[HOME] = os.environ["COINSWARM_HOME"] = tempfile.mkdtemp(prefix="coinswarm-home-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(config.stash[HOME], ignore_errors=True)
