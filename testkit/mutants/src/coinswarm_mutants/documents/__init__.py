"""Document stores that break one demand each."""
