"""The quorum: q of N voters sign, one log decides (docs/quorum.md).

Nothing here does I/O or reads a clock. ``voter``, ``coordinator`` and ``submitter`` are pure ``step(state, event,
now_ns) -> (state, effects)``: whoever drives them carries out the effects and hands back what came of them.
``log`` is the one transaction that decides, over a port that a database or ``inmemory`` implements.
"""
