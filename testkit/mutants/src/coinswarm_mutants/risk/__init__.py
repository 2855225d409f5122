"""Risk agents that break one demand each; the twin of each is the testkit's reference."""
