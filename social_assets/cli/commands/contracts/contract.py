"""`social-assets contract`: try a contract on a file, and write a first one from files.

Belongs here: parsing and printing. `operate.contracts` does the work.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from social_assets.cli.errors import WRONG
from social_assets.cli.home_use import needs_no_home
from social_assets.cli.printing.terminal import FORM, echo, out, print_json, print_rows

if TYPE_CHECKING:
    from social_assets.contracts.contract import Contract
    from social_assets.operate.contracts.try_file import ContractTrial

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(short_help="Infer a contract, or try one on a file.")
def contract() -> None:
    """Contracts before they are used."""


@contract.command("test", short_help="Show what a contract would do with a file.")
@click.argument("file", type=_FILE)
@click.option("--stream", help="Default: the only stream that can read the file.")
@click.option("--contract", "module", type=_FILE, help="A contract's file, which need not be used.")
@FORM
@needs_no_home
def test(file: Path, *, stream: str | None, module: Path | None, form: str) -> None:
    """Show what a contract would do with the first 100 records of FILE. Nothing is loaded.

    Exit code 2 if nothing would be accepted, or a larger share rejected than fail_above allows.
    """
    from social_assets.operate.contracts.try_file import try_file

    if stream and module:
        raise click.UsageError("give --stream or --contract, not both")
    trial = try_file(_chosen(file, stream, module), file)
    if form == "json":
        print_json(asdict(trial))
    else:
        _print(trial)
    if trial.would_fail:
        sys.exit(WRONG)


def _chosen(file: Path, stream: str | None, module: Path | None) -> Contract:
    from social_assets.contracts.refusals.broken import BrokenContract
    from social_assets.contracts.registry import contract as named
    from social_assets.contracts.registry import load_contract
    from social_assets.operate.contracts.try_file import fitting_contract

    if module is not None:
        loaded = load_contract(module)
        if isinstance(loaded, BrokenContract):
            raise loaded.error()
        return loaded
    return named(stream) if stream else fitting_contract(file)


def _print(trial: ContractTrial) -> None:
    which = "all" if trial.is_whole else "the first"
    out.print(
        f"{which} {trial.records} records of {Path(trial.file).name}, as {trial.stream}:",
        markup=False,
    )
    counts = ("accepted", "duplicates", "rejected")
    out.print("  " + ", ".join(f"{getattr(trial, name)} {name}" for name in counts), markup=False)
    for note in trial.notes:
        out.print(f"  {note}", markup=False)
    if trial.reasons:
        out.print("\nRejected, by rule:")
        reasons = [(r.rule, r.records, r.row, r.example) for r in trial.reasons]
        print_rows(("rule", "records", "first row", "example value"), reasons, "table")
    out.print("\nValues of the accepted records, cleaned:")
    columns = [
        (c.column, c.type, c.missing, ", ".join(_short(value) for value in c.values))
        for c in trial.columns
    ]
    print_rows(("column", "type", "missing", "values"), columns, "table")
    out.print("\nNothing was loaded.")


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 30 else f"{text[:29]}…"


@contract.command("infer", short_help="Write a first contract from files.")
@click.argument("files", type=_FILE, nargs=-1, required=True)
@click.option("--name", help="The stream's name; default: from the first file's name.")
@click.option(
    "--column", "only", multiple=True, help="Infer this column of the files; default: all."
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output."
)
@needs_no_home
def infer(
    files: tuple[Path, ...], *, name: str | None, only: tuple[str, ...], output: Path | None
) -> None:
    """Write a first contract for the records of FILES: names, types, key, event time.

    Complete it (descriptions, rules, owner), then try it: social-assets contract test.
    """
    from social_assets.operate.contracts.infer import infer as inferred

    if output is not None and output.exists():
        raise click.UsageError(f"{output} exists; name another file")
    text = inferred(files, name, only)
    if output is None:
        echo(text.rstrip("\n"))
        return
    output.write_text(text)
    out.print(
        f"wrote {output}; try it: social-assets contract test {files[0]} --contract {output}",
        markup=False,
    )
