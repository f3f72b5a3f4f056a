"""Where a result goes other than the terminal: a file, or Parquet through a pipe.

Belongs here: the options of commands that write files, files that appear when they are complete,
and the format that a file's name tells.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

FILE_FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "parquet"]),
    help="Default: by the ending of --output, else table.",
)
OUTPUT = click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result to this file instead of standard output.",
)

_FORMS = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".pq": "parquet"}


def form_of(output: Path | None) -> str:
    """The format of a file by the ending of its name; `table` for others and for none."""
    return _FORMS.get(output.suffix.lower(), "table") if output is not None else "table"


@contextmanager
def new_file(output: Path) -> Iterator[io.TextIOBase]:
    """Write a file that appears under its name when it is complete."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def write_binary(write: Callable[[Path], int], output: Path | None) -> None:
    """Write a binary file, or pass it through standard output. `write` returns the rows."""
    if output is not None:
        rows = write(output)
        click.echo(f"{output}: {rows:,} rows", err=True)
        return
    if sys.stdout.isatty():
        raise click.UsageError("Parquet is binary: name a file with --output, or use a pipe")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.parquet"
        write(file)
        with file.open("rb") as stream:
            shutil.copyfileobj(stream, sys.stdout.buffer)
