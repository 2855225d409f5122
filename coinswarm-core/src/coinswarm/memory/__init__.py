"""What the swarm remembers, and the quorum that decides what it may remember (docs/quorum.md)."""
