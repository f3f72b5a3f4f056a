"""`social-assets alerts ...`: test the channels, and show active alerts. Only parses and prints."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from social_assets.alerts.channels import URLS
from social_assets.cli.home_use import reads_home
from social_assets.cli.printing.terminal import FORM, echo, print_json

if TYPE_CHECKING:
    from resources.settings.home import Home


@click.group(short_help="Test alert channels; list active alerts.")
def alerts() -> None:
    """Alerts to people: try every channel, see what stands and who knows."""


@alerts.command()
@reads_home
def test(home: Home) -> None:
    """Send a test alert to every channel; exit code 1 if one does not take it."""
    from social_assets.operate.alerts import try_channels

    tried = try_channels(home)
    if not tried:
        click.echo(f"there is no channel: set {URLS} to URLs of Apprise", err=True)
        sys.exit(1)
    for each in tried:
        echo(f"{each.channel}: {each.error or 'took it'}")
    if any(each.error for each in tried):
        sys.exit(1)


@alerts.command()
@FORM
@reads_home
def show(home: Home, form: str) -> None:
    """Active alerts with reason and remedy, and who was told. Tells nobody."""
    from social_assets.operate.alerts import active_alerts

    found = active_alerts(home)
    if form == "json":
        print_json([asdict(each) for each in found])
        return
    for each in found:
        failure = each.failure
        echo(f"{failure.severity}  {failure.title}")
        if failure.detail:
            echo(f"       {failure.detail}")
        if failure.remedy:
            echo(f"       to do: {failure.remedy}")
        unaware = [name for name in each.concerned if name not in each.told]
        for label, names in (("told", each.told), ("to be told", unaware)):
            if names:
                echo(f"       {label}: {', '.join(names)}")
    if not found:
        echo("no active alerts")
