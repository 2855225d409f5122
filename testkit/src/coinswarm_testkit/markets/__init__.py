"""Seeded markets: single histories by their shape (``paths``), whole runs for differential tests (``plans``)."""
