"""The tables of a profile about evidence: how it came about, what live trading demands, what is accepted instead."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from coinswarm.config.fields import Count, Digest, Moment, Money, Name, Number, Section


class EvidenceSection(Section):
    """``[evidence]``: what the author knows of how the profile came about (S23).

    :param declared_trials: variants that were tried on this history, here or elsewhere, this one included.
    """

    declared_trials: Annotated[Count, Field(ge=1)] | None = None


class DemandSection(Section):
    """``[demand]``: what the evidence of a gold certificate must reach before live trades with it, per instrument.

    Numbers are those of the certificate: out of sample, after the costs it was measured with.

    :param admitted: the evidence is admitted by its own rule: PSR at least 1 - 2 % ÷ trials.
    :param min_sharpe: annualised. :param min_psr, min_dsr: probabilities. :param min_win_rate, max_drawdown: shares.
    :param min_break_even_bps: costs at which the same trades would have earned nothing.
    :param max_turnover: traded value ÷ equity, per year.
    """

    admitted: bool = True
    min_sharpe: Annotated[Number, Field(ge=-100, le=100)] | None = None
    min_psr: Annotated[Number, Field(ge=0, le=1)] | None = None
    min_dsr: Annotated[Number, Field(ge=0, le=1)] | None = None
    min_trades: Count | None = None
    min_days: Count | None = None
    min_win_rate: Annotated[Number, Field(ge=0, le=1)] | None = None
    min_break_even_bps: Annotated[Number, Field(ge=0)] | None = None
    max_drawdown: Annotated[Number, Field(ge=0, le=1)] | None = None
    max_turnover: Annotated[Number, Field(ge=0)] | None = None

    def in_force(self) -> dict[str, float | bool]:
        """The demands that are set, by key."""
        told = self.model_dump(exclude_none=True)
        return {key: value if isinstance(value, bool) else float(value) for key, value in told.items()}


class AcceptSection(Section):
    """One ``[[accept_evidence]]``: less evidence than live demands is accepted, for a while; silver never is.

    :param digest: of the plugin's files, as ``coinswarm plugins trust`` prints it.
    :param cap_quote: the most capital it holds for, in the settlement currency.
    """

    agent: Name = Field(description="the agent, as its plugin declares it")
    digest: Digest = Field(description="sha256:… of its plugin's files, as coinswarm plugins trust prints it")
    reason: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="why, in a sentence")
    cap_quote: Annotated[Money, Field(gt=0)] = Field(description="the most capital it holds for")
    expires: Moment = Field(description="when it ends to hold, as 2027-01-31T00:00:00Z")
