"""``coinswarm completion``, and what the Tab key offers beyond the names of commands and options.

What is offered is read from folders and metadata: completing imports no plugin and no run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "coinswarm"
VARIABLE = "_COINSWARM_COMPLETE"
"""What the shell sets when it asks for completions; click's convention for the program's name."""


class Known(click.types.StringParamType):
    """Text of which some values are known, or else a file.

    :param offer: the values, for a context whose options so far are parsed.
    :param file: whether a file's name may stand there too.
    """

    def __init__(self, offer: Callable[[click.Context], Iterable[str]], *, file: bool = False) -> None:
        self.offer = offer
        self.file = file

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """What begins with ``incomplete``; nothing where it cannot be known."""
        try:
            found = [name for name in self.offer(ctx) if name.startswith(incomplete)]
        except Exception:  # noqa: BLE001 - a shell that completes is no place for an error
            found = []
        if self.file and not found:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(name) for name in found]


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(*, shell: str) -> None:
    """Print the script that makes SHELL complete coinswarm's commands, options, runs, profiles and plugins."""
    from coinswarm.cli import group

    kind = get_completion_class(shell)
    assert kind is not None, "click knows the three shells"
    click.echo(kind(group, {}, PROGRAM, VARIABLE).source())


def offer_names(command: click.Command, path: str) -> None:
    """Let a command's parameters complete what is known; called only while a shell completes.

    :param path: the command's name below ``coinswarm``, as in ``runs show``.
    """
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            offer_names(inner, f"{path} {name}")
        return
    for param in command.params:
        known = OFFERS.get(f"{path.partition(' ')[0]}.{param.name}") or OFFERS.get(f"*.{param.name}")
        if known is not None:
            param.type = known


def _templates(_ctx: click.Context) -> Iterable[str]:
    """The names of the profiles that ship with core."""
    folder = Path(__file__).parents[1] / "config" / "templates"
    return sorted(path.stem for path in folder.glob("*.toml"))


def _runs(ctx: click.Context) -> Iterable[str]:
    """``latest`` and the ids of the runs in the folder of runs, newest first."""
    from coinswarm.backtest.runread import list_runs

    return ["latest", *reversed(list_runs(Path(ctx.params.get("runs") or "runs")))]


def _plugins(_ctx: click.Context) -> Iterable[str]:
    """The names of the installed plugins, from their metadata."""
    from coinswarm.plugins.drivers import everything

    return sorted({record.name for record in everything()})


def _kinds(_ctx: click.Context) -> Iterable[str]:
    """What ``plugins new`` can write."""
    from coinswarm.plugins.scaffold import KINDS

    return sorted(KINDS)


def _imported(_ctx: click.Context) -> Iterable[str]:
    """The names of imported data."""
    from coinswarm.config.home import home

    return sorted(path.stem for path in (home() / "data").glob("*.npz"))


OFFERS = {
    "*.profile": Known(_templates, file=True),
    "*.run": Known(_runs, file=True),
    "runs.a": Known(_runs, file=True),
    "runs.b": Known(_runs, file=True),
    "plugins.name": Known(_plugins),
    "plugins.kind": Known(_kinds),
    "data.name": Known(_imported, file=True),
}
"""``command.parameter`` (or ``*`` for any command) -> what is known of it."""
