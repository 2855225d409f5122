"""The simulated exchange: one set of numbered fill rules (rules.md), two implementations."""
