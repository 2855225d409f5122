"""What all test suites share: one Hypothesis profile without a random seed."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# The same examples in every run: a red check can be repeated. `--hypothesis-profile=search` looks for new ones.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.register_profile(
    "search", deadline=None, max_examples=2_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell starts background jobs so; tests of Ctrl-C must meet it
    signal.signal(signal.SIGINT, signal.default_int_handler)
