"""Signal agents that break one demand each."""
