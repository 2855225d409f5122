"""NATS as Coinswarm's message bus."""

__version__ = "0.1.0"
