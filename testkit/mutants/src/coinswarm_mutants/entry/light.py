"""Declares, and does nothing else."""
