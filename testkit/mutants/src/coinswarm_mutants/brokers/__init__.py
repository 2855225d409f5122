"""Brokers that break one demand each."""
