"""``coinswarm demo``, ``backtest`` and ``replay``: runs on recorded bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from coinswarm.cli.groups import ProfileCommand
from coinswarm.cli.telling import tell

if TYPE_CHECKING:
    from coinswarm.runtime.runs import Finished

TEMPLATE = "backtest"
"""What runs where no profile is named."""

runs_option = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="Folder of all runs.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the profile, as in risk.daily_loss_bp=300.",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(["columns", "steps"]),
    default="columns",
    show_default=True,
    help="The compiled kernel, or the reference exchange bar by bar; both give the same order hash.",
)
report_option = click.option("--report/--no-report", default=True, help="Write report.html into the run; default yes.")

no_save_option = click.option("--no-save", is_flag=True, help="Write no run.")
no_trial_option = click.option(
    "--no-trial", is_flag=True, help="Leave no trial in the registry; the number of trials is then unknown."
)


@click.command()
@runs_option
@no_save_option
@report_option
@no_trial_option
@set_option
@engine_option
@json_option
def demo(  # noqa: PLR0913 - one parameter per option
    *,
    runs: Path,
    no_save: bool,
    report: bool,
    no_trial: bool,
    overrides: tuple[str, ...],
    engine: Literal["columns", "steps"],
    as_json: bool,
) -> None:
    """Backtest the trend and mean-reversion agents on the bars that ship with core."""
    _backtest("demo", None if no_save else runs, overrides, engine, as_json=as_json, report=report, trial=not no_trial)


@click.command(cls=ProfileCommand)
@click.option("--profile", help=f"A TOML file, or the name of a template; otherwise the template {TEMPLATE!r}.")
@runs_option
@no_save_option
@report_option
@no_trial_option
@set_option
@engine_option
@json_option
def backtest(  # noqa: PLR0913 - one parameter per option
    *,
    profile: str | None,
    runs: Path,
    no_save: bool,
    report: bool,
    no_trial: bool,
    overrides: tuple[str, ...],
    engine: Literal["columns", "steps"],
    as_json: bool,
) -> None:
    """Run a profile on its recorded bars, write the run, and print its summary."""
    if profile is None:
        profile = TEMPLATE
        tell(
            f"coinswarm: no profile was named: this is the template {TEMPLATE!r} on the bars that ship with core; "
            "your own: --profile FILE"
        )
    _backtest(profile, None if no_save else runs, overrides, engine, as_json=as_json, report=report, trial=not no_trial)


@click.command()
@click.argument("run", default="latest")
@runs_option
@engine_option
@json_option
def replay(*, run: str, runs: Path, engine: Literal["columns", "steps"], as_json: bool) -> None:
    """Execute RUN again (an id, a folder, or "latest") and compare the order hash.

    Exit code 1 when the hash differs.
    """
    from coinswarm.backtest.runread import find_run
    from coinswarm.cli.progress import progress, running
    from coinswarm.cli.tables import emit_fields

    with progress(as_json=as_json) as shown:
        shown.phase(f"loading run {run}")
        from coinswarm.runtime.runs import replay as execute_again

        path = find_run(runs, run)
        shown.phase(running(f"executing {path.name} again", compiled=engine == "columns"))
        replayed = execute_again(path, engine)
    emit_fields(
        {
            "run": replayed.stored.run_id,
            "engine": engine,
            "stored_hash": replayed.stored.result.order_hash,
            "replayed_hash": replayed.again.order_hash,
            "same": replayed.same,
        },
        as_json=as_json,
    )
    if not replayed.same:
        click.get_current_context().exit(1)


def _backtest(  # noqa: PLR0913 - one parameter per option
    name: str,
    runs: Path | None,
    overrides: tuple[str, ...],
    engine: Literal["columns", "steps"],
    *,
    as_json: bool,
    report: bool,
    trial: bool = True,
) -> None:
    """Load, run, record as a trial, show."""
    from coinswarm.cli.progress import progress, running

    label = name if name.endswith(".toml") else f"profile {name}"
    with progress(as_json=as_json) as shown:
        shown.phase(f"loading {label}")
        from coinswarm.config.profile import load_profile
        from coinswarm.runtime.assembly import Given
        from coinswarm.runtime.runs import backtest as run_profile
        from coinswarm.runtime.trials import TrialRegistry

        profile = load_profile(name, overrides)
        registry = TrialRegistry() if trial else None
        shown.phase(running(f"running {label}: {', '.join(profile.symbols)}", compiled=engine == "columns"))
        done = run_profile(
            profile,
            label=label,
            runs=runs,
            engine=engine,
            trials=registry,
            report=report,
            say=shown.phase,
            given=Given(said=overrides),
        )
    show(done, as_json=as_json)


def show(finished: Finished, *, as_json: bool) -> None:
    """Print a run's summary, and where it was written."""
    from coinswarm.backtest.render import render
    from coinswarm.cli.tables import emit_json

    if as_json:
        emit_json({**finished.summary, "path": str(finished.path) if finished.path else None})
        return
    click.echo(render(finished.summary))
