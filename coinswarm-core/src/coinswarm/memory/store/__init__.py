"""The log and the swarm's memory in a database: one SQLite file, or PostgreSQL (docs/store.md).

Whoever wants it imports ``opening``; SQLAlchemy and Alembic are imported nowhere else in Coinswarm.
"""
