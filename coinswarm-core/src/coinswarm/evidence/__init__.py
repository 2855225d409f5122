"""Statistics of a run: Sharpe, drawdown, bootstrap intervals; pure, no I/O (S22).

``measure_days`` and ``measure_trades`` are the way in; both return one ``Estimate`` per measure.
"""
