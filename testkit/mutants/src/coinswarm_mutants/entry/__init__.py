"""Modules that entry points would name."""
