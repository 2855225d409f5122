"""Statistics of a run: Sharpe, drawdown, bootstrap intervals; pure, no I/O (S22)."""
