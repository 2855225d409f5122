"""``coinswarm trade``: the session loop on paper; live says what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from coinswarm.cli.backtest import json_option, no_trial_option, runs_option, set_option
from coinswarm.cli.groups import ProfileCommand

if TYPE_CHECKING:
    from pathlib import Path


@click.command(cls=ProfileCommand)
@click.option("--profile", required=True, help="A TOML file, or the name of a template: paper, live.")
@click.option(
    "--replay",
    "recordings",
    multiple=True,
    metavar="FILE",
    help="Bars to play, for a profile with one instrument; SYMBOL=FILE for each of several.",
)
@runs_option
@no_trial_option
@set_option
@json_option
def trade(  # noqa: PLR0913 - one parameter per option
    *,
    profile: str,
    recordings: tuple[str, ...],
    runs: Path,
    no_trial: bool,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a session: on paper from a recording, with the simulated exchange and clock."""
    from coinswarm.cli.backtest import show
    from coinswarm.cli.progress import progress

    label = profile if profile.endswith(".toml") else f"profile {profile}"
    with progress(as_json=as_json) as shown:
        shown.phase(f"loading {label}")
        from coinswarm.config.profile import load_profile
        from coinswarm.runtime.trade import match_recordings
        from coinswarm.runtime.trade import trade as run_session
        from coinswarm.runtime.trials import TrialRegistry

        loaded = load_profile(profile, overrides)
        files = match_recordings(loaded, recordings)
        shown.phase(f"playing {label}: {', '.join(loaded.symbols)}")
        registry = None if no_trial else TrialRegistry()
        done = run_session(
            loaded,
            label=label,
            recordings=files,
            runs=runs,
            trials=registry,
            say=shown.phase,
            warn=shown.warn,
            said=overrides,
        )
    show(done, as_json=as_json)
