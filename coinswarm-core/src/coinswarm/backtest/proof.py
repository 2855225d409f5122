"""How much a run's Sharpe ratio proves, once it is known how often its history was tried (S22, S23)."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from coinswarm.evidence.deflated import (
    LEVEL,
    Known,
    deflated,
    expected_maximum,
    minimum_track_record,
    probabilistic,
    proving,
)
from coinswarm.evidence.statistics import YEAR_DAYS
from coinswarm.evidence.trials import Trial, pool_trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coinswarm.evidence.trials import Pool

HEAD = 13
"""Width of a heading at the left, as in the summary."""


def proof_dict(  # noqa: PLR0913 - what is known of a run
    run: Trial,
    trials: Sequence[Trial] | None,
    *,
    ruined: bool = False,
    declared: int | None = None,
    why: str = "",
    fault: bool = False,
) -> dict[str, Any]:
    """PSR, DSR and minimum track record of a run, ready for JSON: no NaN, reasons where numbers are missing.

    The count of trials is the larger of what is known and what the author declares; without either the
    evidence is incomplete.

    :param run: the run's daily returns.
    :param trials: all that are known of its history, ``run`` among them; None: unknown.
    :param ruined: equity fell to zero: returns are not defined.
    :param declared: trials that the profile's author declares.
    :param why: why ``trials`` are unknown.
    :param fault: whether they are because the registry cannot be used: it may hold more than is declared, so that the
        count is unknown too.
    """
    found = "equity fell to zero" if ruined else proving(run.returns)
    known = None if trials is None else len(trials)
    counts = [count for count in (known, declared) if count is not None]
    seen = max(counts) if counts and not fault else None
    about: dict[str, Any] = {
        "count": seen,
        "registry": known,
        "declared": declared,
        "why": "" if known is not None else why or "no trial registry",
        "measured": None,
        "correlation": None,
        "effective": None,
        "variance": None,
        "spread_known": None,
    }
    told: dict[str, Any] = {"complete": False, "days": len(run.returns), "level": LEVEL, "trials": about}
    if isinstance(found, str):
        told |= {"sharpe": None, "skewness": None, "kurtosis": None, "expected_maximum": None}
        nothing = _plain(Known(why=found))
        return told | {"psr": nothing, "dsr": nothing, "min_track_record": nothing, "min_track_record_dsr": nothing}
    told |= {"sharpe": found.sharpe, "skewness": found.skewness, "kurtosis": found.kurtosis}
    told |= {"psr": _plain(probabilistic(found)), "min_track_record": _plain(minimum_track_record(found))}
    if seen is None:
        nothing = _plain(Known(why=f"the number of trials is unknown: {about['why']}"))
        return told | {"expected_maximum": None, "dsr": nothing, "min_track_record_dsr": nothing}
    pool = pool_trials(run, trials or [run], seen)
    about |= _pooled(pool)
    luck = expected_maximum(pool.variance, pool.effective)
    dsr = deflated(found, pool.variance, pool.effective)
    told |= {"expected_maximum": luck, "dsr": _plain(dsr)}
    told["min_track_record_dsr"] = _plain(minimum_track_record(found, luck))
    told["complete"] = dsr.value is not None
    return told


def _plain(known: Known) -> dict[str, Any]:
    """A number or its reason, for JSON."""
    return {"value": known.value, "why": known.why}


def _pooled(pool: Pool) -> dict[str, Any]:
    """What the pooled trials say, for JSON."""
    return {
        "measured": pool.measured,
        "correlation": pool.correlation,
        "effective": pool.effective,
        "variance": pool.variance,
        "spread_known": pool.spread_known,
    }


def proof_lines(proof: Mapping[str, Any], width: int = 80) -> list[str]:
    """The same in words, lines of at most ``width`` columns.

    :param proof: from ``proof_dict``.
    """
    psr, dsr, needed = proof["psr"], proof["dsr"], proof["min_track_record"]
    entries = [("Trials", _trials(proof["trials"]))]
    if psr["value"] is None:
        return _wrapped([*entries, ("PSR, DSR", f"unknown: {psr['why']}; evidence incomplete")], width)
    entries.append(
        ("PSR(0)", f"{psr['value']:.1%}: probability that the true Sharpe is above 0, had nothing else been tried")
    )
    if dsr["value"] is None:
        entries.append(("DSR", f"unknown: {dsr['why']}; evidence incomplete"))
    else:
        yearly = proof["expected_maximum"] * math.sqrt(YEAR_DAYS)
        luck = f"luck alone is expected to show a Sharpe of {yearly:.2f} in the best of them"
        text = (
            f"the same against what was tried: {luck}" if proof["trials"]["effective"] > 1 else "one trial: as PSR(0)"
        )
        entries.append(("DSR", f"{dsr['value']:.1%}: {text}"))
    level = f"{proof['level']:.0%}".replace("%", " %")
    record = f"{proof['days']:,} days; "
    if needed["value"] is None:
        record += f"no minimum: {needed['why']}"
    else:
        record += f"a Sharpe above 0 at {level} takes {needed['value']:,.0f} days like these"
        more = proof["min_track_record_dsr"]["value"]
        if more is not None and more != needed["value"]:
            record += f", {more:,.0f} after all trials"
    return _wrapped([*entries, ("Track record", record)], width)


def _trials(trials: Mapping[str, Any]) -> str:
    """How often the history was tried, and who says so."""
    if trials["count"] is None:
        return f"unknown: {trials['why']}"
    sources = []
    if trials["registry"] is not None:
        sources.append(f"{trials['registry']:,} in the registry")
    else:
        sources.append(f"registry unknown: {trials['why']}")
    sources.append(f"{trials['declared']:,} declared" if trials["declared"] is not None else "none declared")
    text = f"{trials['count']:,} on these instruments and days ({', '.join(sources)})"
    if trials["effective"] is not None and trials["count"] > 1:
        text += f", counted as {trials['effective']:,} independent ones"
        if trials["measured"] > 1:
            text += f" (their daily returns correlate at {trials['correlation']:.2f} on average; rounded up)"
    return text


def _wrapped(entries: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Headings with text beside them."""
    lines: list[str] = []
    for head, text in entries:
        lines += textwrap.wrap(
            text.replace("%:", " %:"),
            width,
            initial_indent=f"{head:<{HEAD}}",
            subsequent_indent=" " * HEAD,
            break_on_hyphens=False,
        )
    return lines
