"""Time series stores that break one demand each."""
