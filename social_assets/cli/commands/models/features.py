"""`social-assets features ...`: list and show. Only parses and prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import needs_no_home, reads_home
from social_assets.cli.printing.terminal import FORM, echo, print_json, print_rows

if TYPE_CHECKING:
    from resources.settings.home import Home

_LISTED = ("entity", "feature", "type", "view", "days_kept", "description")
_SHOWN = ("platform", "feature", "value")


@click.group(short_help="List features of users, accounts and posts; show those of one.")
def features() -> None:
    """Features: what is declared, and the values of one user, account or post now.

    docs/features.md says how to declare one, and how to make a training set.
    """


@features.command("list")
@FORM
@needs_no_home
def list_features(form: str) -> None:
    """Every feature, by entity."""
    from social_assets.features.registry import views

    rows = [
        (
            view.entity.name,
            each.name,
            each.type,
            view.name,
            view.time_to_live.days,
            each.description,
        )
        for view in views()
        for each in view.features
    ]
    print_rows(_LISTED, rows, form)


@features.command()
@click.argument("entity", type=click.Choice(["user", "account", "post"]))
@click.argument("id_", metavar="ID")
@FORM
@reads_home
def show(home: Home, entity: str, id_: str, form: str) -> None:
    """The features of ID now, on each platform that knows it, from the online store."""
    from social_assets.operate.features.read import features_of

    found = features_of(home, entity, id_)
    if form == "json":
        print_json(
            {
                "entity": entity,
                "id": id_,
                "as_of": found.as_of,
                "platforms": [
                    {"platform": each.platform, "features": dict(each.values)}
                    for each in found.platforms
                ],
            }
        )
        return
    rows = [
        (each.platform, name, value)
        for each in found.platforms
        for name, value in each.values.items()
    ]
    if rows:
        print_rows(_SHOWN, rows, form)
    if found.as_of is None:
        echo("no features are online: materialize features/online in Dagster's UI, or keep")
        echo("social-assets dev running, which does it")
        return
    if not rows:
        echo(f"nothing is known of this {entity}; features are of the last 90 days")
    echo(f"everything that the warehouse had at {found.as_of:%Y-%m-%d %H:%M:%S} UTC counts")
