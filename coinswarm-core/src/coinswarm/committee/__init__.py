"""From the members' actions to one intent per instrument (S1-S4)."""
