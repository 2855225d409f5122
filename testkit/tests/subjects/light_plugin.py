"""A plugin module that loads nothing."""
