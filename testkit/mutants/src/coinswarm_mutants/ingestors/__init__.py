"""Ingestors that break one demand each."""
