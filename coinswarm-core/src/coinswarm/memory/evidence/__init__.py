"""What a voter is shown of a proposal: facts and state from committed tables, at one position of the log."""
