"""Settings of the reference implementations that have any."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Unknown keys are refused, values are not converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class VolatilityCapSettings(Settings):
    """What may be set for the volatility cap."""

    target_bp: int = Field(default=2_000, ge=1, le=10_000, description="annual volatility that a position may bring")
    window: int = Field(default=48, ge=2, le=10_000, description="bars that volatility is measured over")
    max_drawdown_bp: int = Field(default=1_500, ge=1, le=10_000, description="from here on nothing is entered")


class SlicerSettings(Settings):
    """What may be set for the slicer."""

    slices: int = Field(default=5, ge=1, le=1_000, description="parts of an order, where it can be parted so")
    seconds: int = Field(default=60, ge=1, le=86_400, description="between two parts of an order without a deadline")


class MemorySettings(Settings):
    """Where the exact memory keeps what it is told."""

    file: Path = Field(description="an SQLite file; made when it is not there", strict=False)


class EqualRiskSettings(Settings):
    """What may be set for the equal-risk planner."""

    days: int = Field(default=60, ge=2, le=10_000, description="of returns that risk is measured over")
    rollback_bp: int = Field(default=300, ge=1, le=10_000, description="drawdown at which its weights are taken back")
