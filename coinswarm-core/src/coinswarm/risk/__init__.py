"""Sizing, limits, protections, and the gate that has the last word (S17-S19)."""
