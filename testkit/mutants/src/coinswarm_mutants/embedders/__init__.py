"""Embedders that break one demand each."""
