"""From an approved target to orders on a venue, and what came of them."""
