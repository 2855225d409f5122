"""The quorum's seeded simulator: the core unchanged, in a world that loses, doubles, reorders, stops, forgets and lies.

``python -m coinswarm_testkit.quorum`` prints the table; docs/quorum.md says what it shows.
"""
