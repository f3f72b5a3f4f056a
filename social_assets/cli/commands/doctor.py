"""`social-assets doctor`: print what the doctor finds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import knows_home
from social_assets.cli.printing.terminal import FORM, print_rows

if TYPE_CHECKING:
    from resources.settings.home import Home


@click.command(short_help="Find what is wrong, and what to do.")
@FORM
@knows_home
def doctor(home: Home, form: str) -> None:
    """What is wrong with this installation, and what to do. Exit code 1 if something is."""
    from social_assets.operate.doctor.diagnostic import Health
    from social_assets.operate.doctor.examine import examine

    diagnostics = examine(home)
    rows = [(f.health.value, f.subject, f.found, f.remedy) for f in diagnostics]
    print_rows(("health", "what", "found", "do"), rows, form)
    if any(f.health is Health.ERROR for f in diagnostics):
        sys.exit(1)
