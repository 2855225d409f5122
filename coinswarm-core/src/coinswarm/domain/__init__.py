"""Frozen values of the trading vocabulary; imports numpy and the standard library only."""
