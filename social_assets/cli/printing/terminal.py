"""How commands print: console, rows as a table or JSON, progress; and how dates are typed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date

import click
from rich.console import Console

from social_assets.cli.errors import discard_output
from social_assets.cli.printing.json_text import as_json
from social_assets.cli.printing.row_table import RowTable

_PIPE_WIDTH = 200

FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="json: one JSON document on standard output.",
)


class _Console(Console):
    """A console that stops printing if its reader closes it, while the command continues."""

    def on_broken_pipe(self) -> None:
        """Stop printing."""
        self.quiet = True
        discard_output()


out = _Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


class DateParameter(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Refuse a text that is not a date."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date; write it as YYYY-MM-DD", param, ctx)


def progress(line: str) -> None:
    """Print the progress of a run."""
    out.print(f"  {line}", style="dim", markup=False)


def mute(line: str) -> None:
    """Print nothing, because standard output is one JSON document."""
    del line


def screen_width() -> int | None:
    """The columns of the terminal; None if standard output is not a terminal."""
    return out.width if sys.stdout.isatty() else None


def echo(line: str) -> None:
    """Print a line of a result. If its reader has closed the output, the command continues.

    So a command that fails after it has printed still exits with its own code.
    """
    try:
        click.echo(line)
    except BrokenPipeError:
        discard_output()


def print_json(document: object) -> None:
    """One JSON document, on one line."""
    echo(as_json(document))


def print_rows(names: Sequence[str], rows: Sequence[Sequence[object]], form: str) -> None:
    """Rows as a table, or as one JSON document (a list of objects) where `form` is `json`."""
    if form == "json":
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table = RowTable(names, screen_width(), lambda text: out.print(text, markup=False, end=""))
    table.add(rows)
    table.end()
