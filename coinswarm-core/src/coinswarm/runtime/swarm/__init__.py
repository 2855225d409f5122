"""What drives the quorum: processes or tasks that carry out what its pure parts ask for (docs/swarm.md)."""
