"""What this distribution brings: one bus. Imports nothing heavy; the client is loaded when a profile names it."""

from __future__ import annotations

from coinswarm.declarations import DriverType

bus = DriverType(
    name="nats",
    summary="Messages between processes, through NATS servers.",
    target="coinswarm_nats.bus:NatsBus",
    settings="coinswarm_nats.settings:NatsSettings",
    trial={"url": "{env:COINSWARM_NATS_URL}", "prefix": "{fresh}", "first_pause": 0.02},
)
