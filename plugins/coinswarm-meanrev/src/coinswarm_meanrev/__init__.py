"""Mean reversion for Coinswarm: z-score entries gated by low ADX."""

__version__ = "0.1.0"
