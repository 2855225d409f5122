"""The command ``coinswarm``: a lazy group and the one place where errors become lines.

Imports click and the error tree only. A command's module is imported when the command runs or
its own ``--help`` is asked for; what it needs beyond click it imports inside its functions.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from coinswarm import __version__
from coinswarm.cli.groups import NearestGroup
from coinswarm.cli.telling import tell
from coinswarm.errors import CoinswarmError, InvariantError, LoadError, OutputError, PluginError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("coinswarm.cli.backtest", "demo", "Backtest two agents on the bars that ship with core."),
    "backtest": ("coinswarm.cli.backtest", "backtest", "Run a profile on recorded bars and write a run."),
    "trade": ("coinswarm.cli.trade", "trade", "Run a profile on paper, from a recording; later live."),
    "replay": ("coinswarm.cli.backtest", "replay", "Execute a run again and compare the order hash."),
    "explain": ("coinswarm.cli.explain", "explain", "Say why a run decided as it did, in words."),
    "runs": ("coinswarm.cli.runs", "runs", "List, show, compare and export finished runs."),
    "run": ("coinswarm.cli.run", "run", "Run a voter, a coordinator, or what follows their log."),
    "memory": ("coinswarm.cli.memory", "memory", "What the quorum decided, who votes, and proposing to it."),
    "trials": ("coinswarm.cli.trials", "trials", "Count what was tried on a history."),
    "weights": ("coinswarm.cli.weights", "weights", "Show, compare and propose the committee's weights."),
    "data": ("coinswarm.cli.data", "data", "Import and inspect market data."),
    "plugins": ("coinswarm.cli.plugins", "plugins", "List and inspect the installed plugins."),
    "completion": ("coinswarm.cli.completion", "completion", "Print the script for the shell's Tab key."),
}
"""Name -> (module, attribute, summary). Summaries stand here so that help imports no command."""

ANYWHERE = ("--debug", "--quiet")
"""Options of ``coinswarm`` itself that may also stand after the command, where people type them."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it (128 + SIGINT)."""

_NO_ARGUMENTS: tuple[type[click.ClickException], ...] = tuple(
    found for found in [getattr(click.exceptions, "NoArgsIsHelpError", None)] if found is not None
)
"""What click 8.2 and later raise where help is shown for want of arguments."""

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


class _Commands(NearestGroup):
    """Knows its commands by name, and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        from coinswarm.plugins.shield import shielded

        ctx.with_resource(shielded())
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        if ctx.resilient_parsing:  # the shell asks for completions
            from coinswarm.cli.completion import offer_names

            offer_names(command, cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, after each option has been put where it belongs."""
        return super().parse_args(ctx, in_place(args))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name from the table, an option's from click."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, (_, _, text) in COMMANDS.items()]
        found = [item for item in found if item.value.startswith(incomplete)]
        return found or super().shell_complete(ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list of commands in ``--help``, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])


def in_place(args: Sequence[str]) -> list[str]:
    """A command line with ``--debug`` and ``--quiet`` before the command, and ``--json`` after it.

    What follows ``--`` stays as it is.
    """
    end = list(args).index("--") if "--" in args else len(args)
    head, tail = list(args[:end]), list(args[end:])
    first = [word for word in head if word in ANYWHERE]
    rest = [word for word in head if word not in ANYWHERE]
    leading = next((place for place, word in enumerate(rest) if word != "--json"), 0)
    moved, rest = rest[:leading], rest[leading:]
    words = next((place for place, word in enumerate(rest) if word.startswith("-")), len(rest))
    return [*first, *rest[:words], *moved, *rest[words:], *tail]


def _remember(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    """Let ``main`` know, who outlives the context."""
    if value and isinstance(ctx.obj, dict):
        ctx.obj[str(parameter.name)] = True


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_remember,
    envvar="COINSWARM_DEBUG",
    show_envvar=True,
    help="Show the traceback of an error.",
)
@click.option("--quiet", is_flag=True, is_eager=True, expose_value=False, callback=_remember, help="Show no progress.")
@click.version_option(__version__, prog_name="coinswarm", message="%(prog)s %(version)s")
def group() -> None:
    """Coinswarm: a trading swarm in which every part is a plugin.

    --debug and --quiet may also stand after the command.

    Exit codes: 0 done, 1 not the same or nobody reads, 2 the command or its input must change, 3 a plugin must change,
    4 try again later, 5 stopped until a person has looked, 70 a fault of Coinswarm, 130 interrupted.
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line; errors become one line each on stderr.

    :param args: without the program's name; those of the process if None.
    :returns: the exit code.
    """
    code = _outcome(args)
    _settle(sys.stderr)
    return code


def _outcome(args: Sequence[str] | None) -> int:
    """Run a command line, and say what came of it."""
    state: dict[str, Any] = {"debug": False}
    try:
        result = group.main(args=args, prog_name="coinswarm", standalone_mode=False, obj=state)
        if sys.stdout is not None:  # closed by who started the command
            sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - the top: nothing may reach the user as a traceback
        # Ctrl-C at the wrong moment of a wait for a lock makes Python fail on its way out ("release unlocked lock").
        if isinstance(error, RuntimeError) and isinstance(error.__context__, KeyboardInterrupt):
            return _interrupted()
        return _report(error, debug=state["debug"])
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit as left:  # from click only where the reader has gone; else a plugin wanted to end the process
        if _raised_by_click(left):
            return left.code if isinstance(left.code, int) else 1  # 0: what a shell asked for was completed
        fault = PluginError(f"a plugin called sys.exit({left.code!r})", remedy="coinswarm --debug … shows which")
        return _report(fault.with_traceback(left.__traceback__), debug=state["debug"])
    return result if isinstance(result, int) else 0


def _raised_by_click(error: BaseException) -> bool:
    """Whether an error's innermost frame is click's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith("click.")


def _report(error: Exception, *, debug: bool) -> int:
    """Say what went wrong, and return the exit code for it."""
    if isinstance(error, click.Abort):
        return _interrupted()
    if isinstance(error, BrokenPipeError):
        _settle(sys.stdout)
        return 1
    if isinstance(error, _NO_ARGUMENTS):
        tell(error.format_message())
        return error.exit_code
    if debug:
        import traceback

        tell("".join(traceback.format_exception(error)), nl=False)
    if isinstance(error, OSError):
        _settle(sys.stdout)
    text, code = _describe(error)
    for line in text.splitlines():
        tell(f"coinswarm: error: {line}")
    return code


def _settle(stream: TextIO | None) -> None:
    """Drop what a stream can no longer take: Python would fail once more when it flushes at exit."""
    if stream is None:  # closed by who started the command
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _describe(error: Exception) -> tuple[str, int]:
    """The text and the exit code of an error."""
    if isinstance(error, CoinswarmError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        text = " ".join(error.format_message().split())
        usage = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        return f"{text} (see {usage} --help)" if usage else text, error.exit_code
    if isinstance(error, OSError):
        name = f" {error.filename!r}" if error.filename is not None else ""
        if error.errno in _FULL:
            return f"no space left to write{name}: free some space or write elsewhere", OutputError.exit_code
        return f"cannot use{name or ' a file'} ({error.strerror or error}): check the path and its rights", 2
    if isinstance(error, ModuleNotFoundError):
        return f"the installation is incomplete ({error}): reinstall coinswarm-core", LoadError.exit_code
    return (
        f"internal error ({one_line(error)}): run coinswarm --debug … again and report the traceback",
        InvariantError.exit_code,
    )


def _interrupted() -> int:
    """Say that Ctrl-C was heard."""
    tell("coinswarm: interrupted")
    return INTERRUPTED
