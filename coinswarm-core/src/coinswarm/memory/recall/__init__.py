"""What recalled episodes are worth, and the private log that a backtest recalls from: pure, no clock, no I/O."""
