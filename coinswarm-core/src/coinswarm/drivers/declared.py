"""What core's entry points of driver groups name."""

from __future__ import annotations

from coinswarm.declarations import DriverType

bus = DriverType(
    name="local",
    summary="Messages within one process.",
    target="coinswarm.drivers.bus:LocalBus",
    settings="coinswarm.drivers.settings:LocalBusSettings",
)
timeseries = DriverType(
    name="local",
    summary="Time series in one SQLite file.",
    target="coinswarm.drivers.timeseries:LocalTimeSeries",
    settings="coinswarm.drivers.settings:LocalFileSettings",
    trial={"path": "{folder}/series.sqlite"},
)
documents = DriverType(
    name="local",
    summary="Documents in one SQLite file.",
    target="coinswarm.drivers.documents:LocalDocuments",
    settings="coinswarm.drivers.settings:LocalFileSettings",
    trial={"path": "{folder}/documents.sqlite"},
)
embedder = DriverType(
    name="hashing",
    summary="Words and their parts, hashed into a vector; no model.",
    target="coinswarm.drivers.hashing:HashingEmbedder",
    settings="coinswarm.drivers.settings:HashingSettings",
)
