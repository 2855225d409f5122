"""Buses that break one demand each."""
