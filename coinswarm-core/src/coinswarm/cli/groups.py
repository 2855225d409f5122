"""The group that every command with subcommands is made of."""

from __future__ import annotations

import click

from coinswarm.errors import UnknownNameError, nearest


class ProfileCommand(click.Command):
    """A command with ``--profile``: says so to who gives a profile without it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; the words that are left over are told with where they belong.

        :raises click.UsageError: as click does.
        """
        words = [word for word in args if word.endswith(".toml") and not word.startswith("-")]
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            stray = next((word for word in words if word in error.message), None)
            if stray is None:
                raise
            message = f"{stray!r} stands alone: did you mean --profile {stray}?"
            raise click.UsageError(message, ctx) from error


class NearestGroup(click.Group):
    """Answers an unknown subcommand with the nearest known one, whatever click's version."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name.

        :raises UnknownNameError: naming the nearest one.
        """
        known = self.list_commands(ctx)
        mistyped = bool(args) and args[0] not in known and not args[0].startswith("-")
        if mistyped and not ctx.resilient_parsing:  # a shell that completes wants no answer
            message = f"unknown command {f'{ctx.command_path} {args[0]}'!r}"
            raise UnknownNameError(message, remedy=nearest(args[0], known))
        return super().resolve_command(ctx, args)
