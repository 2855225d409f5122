"""The evidence-driven testkit that every Coinswarm plugin faces."""

__version__ = "0.1.0"
