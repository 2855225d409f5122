"""Trend following for Coinswarm: moving-average crossover gated by ADX."""

__version__ = "0.1.0"
