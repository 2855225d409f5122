"""Settings of the mean-reversion agent, with bounds."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class MeanReversionSettings(BaseModel):
    """What a profile may set for ``meanrev``; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    window: int = Field(default=20, ge=3, le=10_000, description="bars in the mean and the standard deviation")
    entry_z: float = Field(default=2.0, gt=0, le=10, description="enters beyond this many standard deviations")
    exit_z: float = Field(default=0.5, ge=0, lt=10, description="leaves within this many, less than entry_z")
    adx_period: int = Field(default=14, ge=2, le=1_000, description="bars in Wilder's ADX")
    adx_gate: float = Field(default=20.0, gt=0, le=100, description="enters only where ADX lies below it")
    atr_period: int = Field(default=14, ge=1, le=1_000, description="bars in Wilder's ATR")
    stop_atr: float = Field(default=1.5, gt=0, le=100, description="stop distance in ATR")
    size: float = Field(default=1.0, gt=0, le=1, description="wished share of equity at full confidence")

    @model_validator(mode="after")
    def _levels_in_order(self) -> Self:
        if self.exit_z >= self.entry_z:
            message = f"exit_z is {self.exit_z} and entry_z is {self.entry_z}: exit_z must be smaller"
            raise ValueError(message)
        # |z| of a window of n values cannot exceed sqrt(n - 1): beyond it the agent would never act.
        if self.entry_z**2 >= self.window - 1:
            message = (
                f"entry_z is {self.entry_z}, which a window of {self.window} bars never reaches: "
                f"lower it or take more than {int(self.entry_z**2) + 1} bars"
            )
            raise ValueError(message)
        return self
