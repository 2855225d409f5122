"""Recorded payloads played from this machine, with faults: what ingestors are judged against, without a network."""
