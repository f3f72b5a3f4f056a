"""`social-assets keys ...`: create, list and revoke API keys. Only parses and prints."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import makes_control, reads_control
from social_assets.cli.printing.terminal import FORM, echo, print_rows

if TYPE_CHECKING:
    from resources.settings.home import Home

_COLUMNS = (
    "id",
    "name",
    "state",
    "role",
    "accounts",
    "per_minute",
    "created_at",
    "last_used_at",
    "expires_at",
    "revoked_at",
)
_ROLES = ("read", "write", "admin")


@click.group(short_help="Create, list and revoke API keys.")
def keys() -> None:
    """API keys: who may ask the API, for which accounts, how often."""


@keys.command()
@click.option("--name", required=True, help="The program or person that will use the key.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="PLATFORM:ID",
    help="An account that it may see, such as instagram:natgeo; repeatable. Default: all.",
)
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    default="read",
    show_default=True,
    help="Each role includes the ones before it.",
)
@click.option("--expires", type=click.IntRange(1, 36_500), metavar="DAYS", help="Default: never.")
@click.option(
    "--per-minute",
    type=click.IntRange(1, 1_000_000),
    default=600,
    show_default=True,
    help="Requests that it may make in a minute.",
)
@makes_control
def create(
    home: Home,
    *,
    name: str,
    accounts: tuple[str, ...],
    role: str,
    expires: int | None,
    per_minute: int,
) -> None:
    """Create a key and print it. It is printed this one time.

    Standard output holds the key alone: `KEY=$(social-assets keys create --name reports)`.
    """
    from social_assets.control.accounts import Account
    from social_assets.control.api_keys import ApiKeys, Role
    from social_assets.control.engine import open_engine

    try:
        scope = [Account.parse(account) for account in accounts] or None
        new = ApiKeys(open_engine(home)).create(
            name,
            accounts=scope,
            role=Role(role),
            per_minute=per_minute,
            lifetime=None if expires is None else timedelta(days=expires),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    key = new.key
    seen = "all accounts" if key.accounts is None else ", ".join(map(str, sorted(key.accounts)))
    ends = (
        "never expires"
        if key.expires_at is None
        else f"expires {key.expires_at:%Y-%m-%d %H:%M} UTC"
    )
    click.echo(
        f"API key {key.id} for {key.name}: role {key.role}, {seen}, {key.per_minute} requests a "
        f"minute, {ends}.\nThe key follows. It is not stored and not shown again: keep it as a "
        f"password. `social-assets keys revoke {key.id}` ends it.",
        err=True,
    )
    echo(new.text)


@keys.command("list")
@FORM
@reads_control
def list_(home: Home, form: str) -> None:
    """List all keys, oldest first, without their secrets."""
    from social_assets.control.api_keys import ApiKeys
    from social_assets.control.engine import open_engine
    from social_assets.control.schema import now

    at = now()
    rows = []
    for key in ApiKeys(open_engine(home)).list():
        seen = None if key.accounts is None else [str(a) for a in sorted(key.accounts)]
        shown = seen if form == "json" else "all" if seen is None else ", ".join(seen)
        times = (key.created_at, key.last_used_at, key.expires_at, key.revoked_at)
        told = [None if t is None else t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in times]
        rows.append((key.id, key.name, key.state(at), str(key.role), shown, key.per_minute, *told))
    print_rows(_COLUMNS, rows, form)


@keys.command()
@click.argument("id_", metavar="ID")
@reads_control
def revoke(home: Home, id_: str) -> None:
    """End the key with this ID at once. The key itself is accepted too, if that is all you have."""
    from social_assets.control.api_keys import ApiKeys
    from social_assets.control.engine import open_engine

    if id_.startswith("sa_"):
        id_ = id_.split("_")[1]
    key = ApiKeys(open_engine(home)).revoke(id_)
    echo(f"revoked {key.id} ({key.name}) at {key.revoked_at:%Y-%m-%d %H:%M:%S} UTC")
