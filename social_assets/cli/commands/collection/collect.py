"""`social-assets collect`: collects what is due now. Only parses and prints."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from social_assets.cli.errors import WRONG
from social_assets.cli.home_use import makes_control
from social_assets.cli.printing.terminal import FORM, echo, mute, print_json, print_rows, progress

if TYPE_CHECKING:
    from resources.settings.home import Home

_TABLE = ("platform", "chains", "pages", "records", "stopped early")


@click.command(short_help="Collect what is due of tracked accounts, now.")
@click.option("--platform", help="Only from this platform.")
@click.option(
    "--account", "accounts", multiple=True, metavar="PLATFORM:ACCOUNT", help="Though it is not due."
)
@click.option(
    "--all", "from_the_beginning", is_flag=True, help="Read all of --account again, from its start."
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    metavar="DATE",
    help="Read again what was published since then, UTC; of --account, or of all accounts.",
)
@click.option("--seconds", type=float, default=300.0, show_default=True, help="Of each platform.")
@FORM
@makes_control
def collect(
    home: Home,
    *,
    platform: str | None,
    accounts: tuple[str, ...],
    from_the_beginning: bool,
    since: datetime | None,
    seconds: float,
    form: str,
) -> None:
    """Collect from the platforms what is due, through to the rollups.

    Exit code 2 if something could not be collected; it is due again later.
    """
    from social_assets.ingest.connectors.account_list import parse_account
    from social_assets.operate.collect import collect_now

    if from_the_beginning and not accounts:
        raise click.UsageError("--all needs --account: it reads all of these accounts again")
    if from_the_beginning and since:
        raise click.UsageError("--all reads everything: leave out --since, or --all")
    begin = since.replace(tzinfo=UTC) if since else None
    if begin and begin > datetime.now(UTC):
        raise click.UsageError(f"--since {begin:%Y-%m-%d}: this time has not come yet")
    try:
        named = list(dict.fromkeys(map(parse_account, accounts)))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    told = progress if form == "table" else mute
    found = collect_now(
        home,
        platform,
        named,
        told,
        seconds=seconds,
        from_the_beginning=from_the_beginning,
        since=begin,
    )
    if form == "table":
        rows = [(r.platform, r.chains, r.pages, r.records, r.stopped_early) for r in found]
        print_rows(_TABLE, rows, "table")
        if not rows:
            echo("nothing is due; `social-assets accounts` shows when each account is")
    else:
        print_json([each.as_json() for each in found])
    if any(each.stopped_early for each in found):
        click.echo("what stopped is due again later: social-assets accounts shows why", err=True)
        sys.exit(WRONG)
