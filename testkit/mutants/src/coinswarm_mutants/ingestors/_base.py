"""What the mutants of this folder do right: the reference ingestors and their recordings."""

from __future__ import annotations

from coinswarm_testkit.reference.ingestors import (
    PolledReadings,
    PolledSettings,
    StreamedTrades,
    StreamSettings,
)

FOLDER = "coinswarm_testkit:reference/recordings"
POLLED = {"polled_seconds": 60, "recording": f"{FOLDER}/polled.json"}
STREAMED = {"polled_seconds": 0, "recording": f"{FOLDER}/stream.json"}

__all__ = ["POLLED", "STREAMED", "PolledReadings", "PolledSettings", "StreamSettings", "StreamedTrades"]
