"""Episodic memory for Coinswarm in the vector sets of Redis 8."""

__version__ = "0.1.0"
