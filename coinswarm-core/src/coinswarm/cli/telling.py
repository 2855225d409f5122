"""What people are told on stderr while a command works; nothing of it changes what the command does."""

from __future__ import annotations

import contextlib

import click


def tell(text: str, *, nl: bool = True, color: bool | None = None) -> None:
    """Tell people something; it is lost where stderr takes nothing: its disk is full, or its reader has gone.

    :param nl: whether the line ends there.
    :param color: True: what moves a terminal's cursor is written as it is.
    """
    with contextlib.suppress(OSError, ValueError):
        click.echo(text, err=True, nl=nl, color=color)
