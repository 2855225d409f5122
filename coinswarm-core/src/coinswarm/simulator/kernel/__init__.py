"""The columnar engine's hot loop: desk, sizing, gate and exchange, jitted, on int64 arrays.

Implements ``rules.md`` and the rules of ``risk``; ``reference.py`` and ``risk`` are the plain twins, and a
differential test holds both to one order hash. All mutable state lives in the arrays of ``layout.py``, so that a run
can stop before any timestamp (a table is nearly full) and go on.

numba does not notice an edited callee, or constant, in another file: ``coinswarm._jit`` lists every file here.
"""
