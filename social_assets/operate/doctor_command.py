"""`social-assets doctor`: print what the doctor finds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from social_assets.operate.terminal import print_rows

if TYPE_CHECKING:
    from resources.home import Home


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def doctor(home: Home, form: str) -> None:
    """What is wrong with this installation, and what to do. Exit code 1 if something is."""
    from social_assets.operate.doctor import examine
    from social_assets.operate.finding import Health

    findings = examine(home)
    rows = [(f.health.value, f.subject, f.found, f.remedy) for f in findings]
    print_rows(("health", "what", "found", "do"), rows, form)
    if any(f.health is Health.ERROR for f in findings):
        sys.exit(1)
