"""What the checks ask, generated from a seed: told the same seed, the judge asks the same questions again."""
