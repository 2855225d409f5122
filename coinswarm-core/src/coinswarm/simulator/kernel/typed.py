"""The decorator of every function here: compiled once, for the types that it is annotated with."""

from __future__ import annotations

from coinswarm._jit import typed_jit
from coinswarm.simulator.kernel.layout import Series, State

jit = typed_jit(State, Series)
