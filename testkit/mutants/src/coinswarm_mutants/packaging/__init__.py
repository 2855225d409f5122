"""Plugins that break a demand before they decide anything."""
