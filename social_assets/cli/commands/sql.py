"""`social-assets sql`: runs a query in the warehouse and prints or writes its result as it arrives.

Belongs here: the output formats. `operate.query` runs the query.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from resources.settings.home import Home
from social_assets.cli.home_use import reads_warehouse
from social_assets.cli.printing.json_text import as_json, plain, text
from social_assets.cli.printing.output_file import (
    FILE_FORM,
    OUTPUT,
    form_of,
    new_file,
    write_binary,
)
from social_assets.cli.printing.row_table import RowTable
from social_assets.cli.printing.terminal import screen_width

if TYPE_CHECKING:
    from social_assets.operate.query import QueryRows

Write = Callable[[str], object]
Printer: TypeAlias = Callable[["QueryRows", Write, int | None], None]


@click.command(short_help="Run a query in the warehouse.")
@click.argument("query")
@FILE_FORM
@OUTPUT
@reads_warehouse
def sql(home: Home, query: str, form: str | None, output: Path | None) -> None:
    """Run QUERY in the warehouse: SQL, the name of a .sql file, or - for standard input.

    The result is printed as it comes, so that it may have any number of rows. Binary values, such
    as key hashes, are printed as hex: compare them by hex(column) = '...'. NaN and infinity are
    null in JSON. Parquet goes to a file, or through a pipe to another program.
    """
    from social_assets.operate.query import streamed, write_parquet

    del home
    chosen = form or form_of(output)
    statement = _statement(query)
    if chosen == "parquet":
        write_binary(lambda file: write_parquet(statement, file), output)
        return
    printer: Printer = _PRINTERS[chosen]
    with streamed(statement) as result:
        if output is None:
            printer(result, _write_out, screen_width())
        else:
            with new_file(output) as file:
                printer(result, file.write, None)
    sys.stdout.flush()


def _statement(query: str) -> str:
    if query == "-":
        return _required(sys.stdin.read(), "standard input")
    file = Path(query)
    # A query may be too long for a file name.
    if file.suffix == ".sql" and len(query) < os.pathconf("/", "PC_PATH_MAX"):
        if not file.is_file():
            raise click.UsageError(f"no file {file}")
        return _required(file.read_text(), str(file))
    return _required(query, "QUERY")


def _required(statement: str, source: str) -> str:
    if not statement.strip():
        raise click.UsageError(f"{source} holds no query")
    return statement


def _write_out(printed: str) -> None:
    click.echo(printed, nl=False)


def _table(result: QueryRows, write: Write, width: int | None) -> None:
    table = RowTable(result.names, width, write)
    for block in result.blocks:
        table.add(block)
    table.end()


def _json(result: QueryRows, write: Write, width: int | None) -> None:
    """One array of objects, one line each."""
    del width
    begin = "["
    for block in result.blocks:
        lines = []
        for row in block:
            lines.append(begin + as_json(dict(zip(result.names, row, strict=True))))
            begin = ",\n"
        write("".join(lines))
    write("[]\n" if begin == "[" else "]\n")


def _csv(result: QueryRows, write: Write, width: int | None) -> None:
    """RFC 4180 with a header; NULL is an empty field, lists and maps are JSON."""
    del width
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(result.names)
    for block in result.blocks:
        writer.writerows([_field(value) for value in row] for row in block)
        write(buffer.getvalue())
        buffer.seek(0)
        buffer.truncate()
    write(buffer.getvalue())


def _field(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    return as_json(plain(value)) if isinstance(value, list | tuple | dict) else text(value)


_PRINTERS: Mapping[str, Printer] = {
    "table": _table,
    "json": _json,
    "csv": _csv,
}
