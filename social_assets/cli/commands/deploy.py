"""`social-assets plan` and `deploy`: what a change of contracts does, and doing it.

Belongs here: parsing and printing. `operate.deploy` plans and deploys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import makes_home, reads_home
from social_assets.cli.printing.terminal import FORM, out, print_rows, progress

if TYPE_CHECKING:
    from resources.settings.home import Home
    from social_assets.pipeline.contracts.deploy_contract import ContractPlan


@click.command(short_help="Show what `deploy` would change.")
@FORM
@reads_home
def plan(home: Home, form: str) -> None:
    """Show the difference between the deployed contracts and today's, and what `deploy` would do.

    For each stream: what changed, and the days that are made anew from raw. Changes nothing.
    """
    del home  # the environment names it
    from social_assets.operate.deploy import plan as planned

    found = planned()
    columns = ("stream", "change", "column", "before", "after", "effect")
    rows = [
        (each.stream, change.kind, change.what, change.before, change.after, change.effect)
        for each in found
        for change in each.changes
    ]
    if form != "table" or rows:
        print_rows(columns, rows, form)
    if form == "table":
        for each in found:
            out.print(told(each))
        out.print(
            "Run `social-assets deploy` to put this in force."
            if found
            else "The contracts of all streams are deployed."
        )


@click.command(short_help="Deploy changed contracts, tables and views.")
@makes_home
def deploy(home: Home) -> None:
    """Put changed contracts in force, and make or update the warehouse's tables and views.

    Days whose rows change are made anew from raw. Until that is finished, loads go on under the
    contracts before. Killed, the same command goes on. Loads and backfills update tables and views
    by themselves, but deploy no contract.
    """
    from social_assets.operate.deploy import deploy as run

    done = run(home, progress)
    for each in done.contracts:
        out.print(told(each))
    out.print(done.warehouse)
    for stream, days in done.finished.items():
        if days:
            out.print(f"{stream}: finished {len(days)} days, {min(days)} to {max(days)}")


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
    return (
        f"{plan.stream}: {len(plan.days)} days are made anew from {plan.rows} raw records, "
        f"{plan.days[0]} to {plan.days[-1]}: raw -> cleaned, quarantine, warehouse"
    )
