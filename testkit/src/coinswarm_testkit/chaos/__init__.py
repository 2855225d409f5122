"""A real quorum under load, of which a process or a server is killed or stopped at any moment."""
