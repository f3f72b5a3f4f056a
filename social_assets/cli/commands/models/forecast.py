"""`social-assets forecast`: the engagement that is expected. Only parses and prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import FORM, print_rows

if TYPE_CHECKING:
    from resources.settings.home import Home

_COLUMNS = ("time", "actual", "forecast", "lower_80", "upper_80", "lower_95", "upper_95")


@click.command(short_help="Expected engagement of the next days or hours.")
@click.option("--platform", default="", help="Such as YouTube; all platforms together by default.")
@click.option("--account", default="", help="An account of the platform, by the platform's id.")
@click.option(
    "--by",
    "grain",
    type=click.Choice(["day", "hour"]),
    default="day",
    show_default=True,
    help="Accounts are forecast by day only.",
)
@FORM
@reads_home
def forecast(home: Home, platform: str, account: str, grain: str, form: str) -> None:
    """The engagement of the last and the next 28 days, or 48 hours, with its intervals.

    The asset forecasts/engagement computes it each night; docs/forecasts.md.
    """
    del home
    from social_assets.operate.forecasts.recorded import NONE, recorded_steps

    if account and not platform:
        raise click.UsageError("--account needs --platform: an id is that of a platform")
    found = recorded_steps(grain, platform, account)
    print_rows(_COLUMNS, found, form)
    said = "times are UTC; `actual` is empty for what is still to come"
    click.echo(said if found else NONE, err=True)
