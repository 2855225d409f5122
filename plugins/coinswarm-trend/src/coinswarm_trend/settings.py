"""Settings of the trend agent, with bounds."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TrendSettings(BaseModel):
    """What a profile may set for ``trend``; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    fast: int = Field(default=10, ge=1, le=10_000, description="bars in the fast moving average")
    slow: int = Field(default=20, ge=2, le=10_000, description="bars in the slow moving average, more than fast")
    adx_period: int = Field(default=14, ge=2, le=1_000, description="bars in Wilder's ADX")
    adx_entry: float = Field(default=25.0, ge=0, lt=100, description="enters only where ADX lies above it")
    adx_full: float = Field(default=50.0, gt=0, le=100, description="ADX at which confidence reaches 1")
    atr_period: int = Field(default=14, ge=1, le=1_000, description="bars in Wilder's ATR")
    stop_atr: float = Field(default=2.0, gt=0, le=100, description="stop distance in ATR")
    target_atr: float = Field(default=3.0, ge=0, le=100, description="target distance in ATR; 0 for no target")
    memory: bool = Field(default=False, description="whether what came of similar moments moves its confidence")
    size: float = Field(default=1.0, gt=0, le=1, description="wished share of equity at full confidence")

    @model_validator(mode="after")
    def _fast_is_faster(self) -> Self:
        if self.fast >= self.slow:
            message = f"fast is {self.fast} and slow is {self.slow}: fast must be smaller"
            raise ValueError(message)
        return self
