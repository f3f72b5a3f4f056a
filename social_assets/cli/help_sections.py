"""The list of commands in `social-assets --help`, in sections by purpose.

Belongs here: the section of each command, and printing the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from social_assets.cli.errors import discard_output

SECTIONS = (
    ("Start", ("demo", "demo-live", "load", "dev", "doctor", "contract")),
    (
        "Collect",
        ("track", "untrack", "accounts", "collect", "credentials", "webhooks", "cdc"),
    ),
    (
        "Ask",
        ("metrics", "query", "search", "features", "forecast", "experiments", "sql", "notebook"),
    ),
    (
        "Look",
        ("status", "streams", "quarantine", "failed-files", "gaps", "media", "alerts", "logs"),
    ),
    ("Change", ("backfill", "replay", "unload", "plan", "deploy", "recsys", "text")),
    ("Give", ("serve", "report")),
    ("Access", ("keys", "secrets")),
    ("Privacy", ("forget", "deletions", "export-person")),
    ("Loss of a machine", ("backup", "backups", "restore", "rebuild-warehouse")),
    ("Servers of the home", ("up", "serve-clickhouse", "kafka", "ship-logs", "stop")),
)
_OTHER = "More"


@contextmanager
def _closed_output_ends_it() -> Iterator[None]:
    """End the command with exit code 0 if the reader of its output has closed it (`| head`).

    Without it, Click makes exit code 1 of this.
    """
    try:
        yield
    except BrokenPipeError as error:
        discard_output()
        raise click.exceptions.Exit(0) from error


class SectionedGroup(click.Group):
    """A group whose help lists its commands by section; a command in no section comes last."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the options; `--help` and `--version` print."""
        with _closed_output_ends_it():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        with _closed_output_ends_it():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print each section with its commands, one line each."""
        listed = {name for _, names in SECTIONS for name in names}
        others = [name for name in self.list_commands(ctx) if name not in listed]
        width = max(map(len, self.commands), default=0)
        for title, names in (*SECTIONS, (_OTHER, tuple(others))):
            commands = [(name, self.get_command(ctx, name)) for name in names]
            rows = [
                (name, command.get_short_help_str(formatter.width - width - 4))
                for name, command in commands
                if command is not None and not command.hidden
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl([(name.ljust(width), text) for name, text in rows])
