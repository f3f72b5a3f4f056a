"""`social-assets plan` and `deploy`: what a change of contracts does, and doing it.

Belongs here: parsing and printing. `operate.deployment` plans and deploys.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from social_assets.cli.errors import FAILED, WRONG
from social_assets.cli.home_use import makes_home, reads_home
from social_assets.cli.printing.terminal import FORM, out, print_json, print_rows, progress

if TYPE_CHECKING:
    from resources.settings.home import Home
    from social_assets.operate.deployment.cost import Cost
    from social_assets.operate.deployment.plan import StreamPlan
    from social_assets.pipeline.contracts.deploy_contract import ContractPlan


@click.command(short_help="Show what `deploy` would change.")
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "rebuild", "any"]),
    help="Exit code 2 if there is a change that breaks queries, one that makes rows anew, or any.",
)
@FORM
@reads_home
def plan(home: Home, fail_on: str | None, form: str) -> None:
    """Show the difference between the deployed contracts and today's, and what `deploy` would do.

    For each stream: what changed, which tables are altered, the days of which tables are made anew
    and how long that takes, and who reads the columns of breaking changes. Changes nothing.

    A change is breaking if a query on the tables may fail, or get values of another type, null
    where there was none, or other rows for a key or a day. Exit code 1 if a contract cannot be
    used, or if `deploy` refuses it.
    """
    from social_assets.contracts.registry import broken_contracts
    from social_assets.operate.deployment.plan import plan as planned

    found = planned(home)
    costs = _costs(home, found) if found else []
    if form == "json":
        print_json([_document(*each) for each in zip(found, costs, strict=True)])
    else:
        _print_plan(found, costs)
    failing = [
        str(change)
        for each in found
        for change in each.contract.changes
        if fail_on == "any"
        or (fail_on == "breaking" and change.is_breaking)
        or (fail_on == "rebuild" and change.effect != "in place")
    ]
    if failing:
        if form == "table":
            out.print(f"--fail-on {fail_on}: {'; '.join(failing)}", markup=False)
        sys.exit(WRONG)
    refused = [each.contract.refused for each in found if each.contract.refused]
    _end_with([*refused, *map(str, broken_contracts())])


def _costs(home: Home, found: Sequence[StreamPlan]) -> list[Cost]:
    from social_assets.operate.deployment.cost import estimate
    from social_assets.operate.runs.instance import open_instance

    with open_instance(home) as instance:
        return [estimate(instance, each.tables) for each in found]


def _end_with(failures: Sequence[str]) -> None:
    """Print what failed, and end with exit code 1; without a failure, go on."""
    for each in failures:
        click.echo(f"Error: {each}", err=True)
    if failures:
        sys.exit(FAILED)


def _print_plan(found: Sequence[StreamPlan], costs: Sequence[Cost]) -> None:
    if not found:
        out.print("The contracts of all streams are deployed.")
        return
    columns = ("stream", "change", "column", "before", "after", "effect", "breaking")
    changes = [
        (
            *(each.stream, change.kind, change.what, change.before, change.after, change.effect),
            "yes" if change.is_breaking else "no",
        )
        for each in found
        for change in each.contract.changes
    ]
    print_rows(columns, changes, "table")
    tables = [
        (
            *(each.stream, table.table, table.does, len(table.days) or ""),
            *((table.days[0], table.days[-1]) if table.days else ("", "")),
        )
        for each in found
        for table in each.tables
    ]
    print_rows(("stream", "table", "deploy", "days", "first day", "last day"), tables, "table")
    readers = [
        (each.stream, reader.column, reader.kind, reader.name, reader.why)
        for each in found
        for reader in each.readers
    ]
    if readers:
        print_rows(("stream", "column", "read by", "name", "why"), readers, "table")
    for each, cost in zip(found, costs, strict=True):
        out.print(told(each.contract), markup=False)
        if each.contract.days:
            out.print(f"{each.stream}: {told_cost(cost)}", markup=False)
        if each.contract.moves:
            rule = "raw records may belong to other days under it; `deploy` divides raw anew"
            out.print(f"{each.stream}: {rule}", markup=False)
    out.print("Run `social-assets deploy` to put this in force.")


def _document(plan: StreamPlan, cost: Cost) -> dict[str, object]:
    contract = plan.contract
    return {
        "stream": plan.stream,
        "changes": [
            {
                "change": change.kind,
                "column": change.what,
                "before": change.before,
                "after": change.after,
                "effect": change.effect,
                "breaking": change.is_breaking,
            }
            for change in contract.changes
        ],
        "tables": [
            {"table": each.table, "deploy": each.does, "days": each.days} for each in plan.tables
        ],
        "readers": [asdict(each) for each in plan.readers],
        "raw_records": contract.rows,
        "estimated_seconds": round(cost.seconds) if cost.runs else None,
        "tables_without_an_estimate": cost.unknown,
        "days_converted_from_cleaned": contract.converted,
    }


@click.command(short_help="Deploy changed contracts, tables and views.")
@makes_home
def deploy(home: Home) -> None:
    """Put changed contracts in force, and make or update the warehouse's tables and views.

    Days whose rows change are made anew from raw. Until that is finished, loads go on under the
    contracts before. Killed, the same command goes on. Loads and backfills update tables and views
    by themselves, but deploy no contract. Exit code 1 if a contract cannot be used or deployed; the
    others are.
    """
    from social_assets.operate.deployment.deploy import deploy as run

    done = run(home, progress)
    for each in done.contracts:
        out.print(told(each))
    out.print(done.warehouse)
    for stream, days in done.finished.items():
        if days:
            out.print(f"{stream}: finished {len(days)} days, {min(days)} to {max(days)}")
    _end_with(done.failures)


def told_cost(cost: Cost) -> str:
    """How long a deployment takes, in words."""
    if not cost.runs:
        return "no run on record tells how long it takes"
    unknown = f"; not known of {', '.join(cost.unknown)}" if cost.unknown else ""
    minutes = "less than a minute" if cost.seconds < 60 else f"about {cost.seconds / 60:.0f} min"
    runs = "the newest run" if cost.runs == 1 else f"the newest {cost.runs} runs"
    return f"it takes {minutes}, estimated from {runs}{unknown}"


def told(plan: ContractPlan) -> str:
    """What a plan does to rows, in one line."""
    if not plan.is_rebuilt:
        added = [change.what for change in plan.changes if change.kind == "column added"]
        fill = (
            f"; rows from before have null in {', '.join(added)}, and `social-assets backfill "
            f"cleaned/{plan.stream}` reads it from their raw records"
        )
        return f"{plan.stream}: altered in place{fill if added else ''}"
    if not plan.days:
        return f"{plan.stream}: its tables are made anew; it has no rows"
    raw_gone = (
        (
            f"; the raw records of {len(plan.converted)} days are gone, {plan.converted[0]} to "
            f"{plan.converted[-1]}: their cleaned rows are converted"
        )
        if plan.converted
        else ""
    )
    return (
        f"{plan.stream}: {len(plan.days)} days are made anew from {plan.rows} raw records, "
        f"{plan.days[0]} to {plan.days[-1]}{raw_gone}"
    )
