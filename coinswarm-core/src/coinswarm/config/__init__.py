"""Profiles: what to run, from TOML, checked before anything starts. pydantic lives here only."""
