"""Finding plugins without importing them, loading them one by one, and what they declare."""
