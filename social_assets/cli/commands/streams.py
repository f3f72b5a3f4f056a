"""`social-assets streams`: shows the streams and what their records must be.

Belongs here: printing contracts. What a contract is belongs to `contracts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from resources.settings.home import Home
from social_assets.cli.home_use import is_installation, needs_no_home
from social_assets.cli.printing.terminal import FORM, out, print_json, print_rows

if TYPE_CHECKING:
    from social_assets.contracts.column import Column
    from social_assets.contracts.refusals.broken import BrokenContract
from social_assets.contracts.contract import Contract

_NO_TIME = "(arrival)"


@click.command(short_help="List streams, or the columns of one.")
@click.argument("stream", required=False)
@FORM
@needs_no_home
def streams(stream: str | None, form: str) -> None:
    """List every stream with its formats, key and time column; with STREAM, its columns and rules.

    A stream without a time column takes the time of a record's arrival: the landing date of its
    file (`load --date`), or Kafka's timestamp.
    """
    from social_assets.contracts.registry import broken_contracts, contract, contracts

    chosen = contracts() if stream is None else (contract(stream),)
    if form == "json":
        documents = [_document(each) for each in chosen]
        if stream is None:
            documents += [_broken(each) for each in broken_contracts()]
        print_json(documents)
        return
    if stream is not None:
        (only,) = chosen
        out.print(f"{only.name}: {only.description}", markup=False)
        out.print(_summary(only), markup=False)
        out.print()
        rows = [_column(only, column) for column in only.columns.values()]
        print_rows(("column", "type", "role", "rules", "meaning"), rows, form)
        return
    listed = ("stream", "formats", "key", "time column")
    summaries = [
        (c.name, ", ".join(c.formats), ", ".join(c.key), c.event_time or _NO_TIME) for c in chosen
    ]
    print_rows(listed, summaries, form)
    for each in broken_contracts():
        out.print(f"\nnot used: {each}", markup=False)
    _print_undeployed()
    out.print("\nColumns and rules of one: social-assets streams STREAM")


def _print_undeployed() -> None:
    """Name the streams that are loaded under another contract than the one shown."""
    home = Home.from_environment()
    if not is_installation(home):
        return
    from social_assets.operate.deployment.undeployed import REMEDY, undeployed

    found = undeployed(home)
    for stream, told in found.items():
        out.print(f"\n{stream}: {told}", markup=False)
    if found:
        out.print(REMEDY, markup=False)


def _summary(contract: Contract) -> str:
    return (
        f"formats {', '.join(contract.formats)}; key {', '.join(contract.key)}; time column "
        f"{contract.event_time or _NO_TIME}; topic {contract.kafka_topic}; owner {contract.owner}"
    )


def _document(contract: Contract) -> dict[str, object]:
    names = ("column", "type", "role", "rules", "meaning")
    return {
        "stream": contract.name,
        "description": contract.description,
        "formats": contract.formats,
        "key": contract.key,
        "time_column": contract.event_time,
        "topic": contract.kafka_topic,
        "owner": contract.owner,
        "columns": [
            dict(zip(names, _column(contract, column), strict=True))
            for column in contract.columns.values()
        ],
    }


def _broken(broken: BrokenContract) -> dict[str, object]:
    """A stream that cannot be used: it has an error instead of columns."""
    return {
        "stream": broken.stream,
        "error": broken.reason,
        "remedy": broken.remedy,
        "file": str(broken.path),
        "line": broken.line,
    }


def _column(contract: Contract, column: Column) -> tuple[str, str, str, str, str]:
    role = "key" if column.name in contract.key else ""
    if not role and column.name == contract.event_time:
        role = "time"
    if not role and column.name in contract.required:
        role = "required"
    rules = ", ".join(str(check.error) for check in column.checks)
    return column.name, column.type, role, rules, column.description
