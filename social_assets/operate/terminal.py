"""How commands print: console, rows as a table or JSON, progress; and how dates are typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_PIPE_WIDTH = 200
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


class Day(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Refuse what is no date."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date; write it as YYYY-MM-DD", param, ctx)


def progress(line: str) -> None:
    """Say what a run has done."""
    out.print(f"  {line}", style="dim")


def print_rows(names: Sequence[str], rows: Sequence[Sequence[object]], form: str) -> None:
    """Rows as a table, or as one line of JSON where `form` is `json`."""
    if form == "json":
        listed = [dict(zip(names, row, strict=True)) for row in rows]
        click.echo(json.dumps(listed, default=str, ensure_ascii=False))
        return
    table = Table(*names, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if v is None else escape(str(v)) for v in row))
    out.print(table)
