"""Settings of the embedded drivers."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class LocalBusSettings(BaseModel):
    """Of the bus ``local``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pending: int = Field(default=65_536, ge=1, le=10_000_000)
    """Messages that a subscription may be behind; more are dropped and told as an error."""
    drain_seconds: float = Field(default=1.0, ge=0, le=60)
    """How long handlers may take for what is pending when the bus is left."""


class LocalFileSettings(BaseModel):
    """Of the stores ``local``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = None
    """The file; made when it is missing. None keeps everything in memory, for tests and demonstrations."""
    busy_seconds: float = Field(default=5.0, ge=0, le=600)
    """How long to wait for another process that writes."""


class LocalMemorySettings(LocalFileSettings):
    """Of the memory backend ``local``."""

    exact_entries: int = Field(default=20_000, ge=0, le=10_000_000)
    """A space with more entries is searched by a graph, which finds nearly all of the nearest, sooner."""
    graph_threads: int = Field(default=1, ge=1, le=256)
    """That build the graph. By several it is there sooner, and another one each time: which of the nearest it misses
    then differs between two folds of one log."""


class HashingSettings(BaseModel):
    """Of the embedder ``hashing``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimension: int = Field(default=384, ge=16, le=4_096)
