"""`social-assets credentials ...`: tokens of platforms. Only parses and prints.

A token is read from the terminal without echo, or from standard input: never from an argument,
which other users and the shell's history could see.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import makes_control, reads_control
from social_assets.cli.printing.terminal import FORM, echo, print_rows
from social_assets.quality.counted import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resources.settings.home import Home
    from social_assets.control.collection.credentials import PlatformCredentials

_ASKED = {
    "access_token": "access token",
    "refresh_token": "refresh token (empty: none)",
    "client_id": "client id of the app (empty: none)",
    "client_secret": "client secret of the app (empty: none)",
}


@click.group(short_help="Store tokens of platforms; see when they end.")
def credentials() -> None:
    """Tokens by which collection asks the platforms, encrypted in the operational store."""


@credentials.command()
@click.argument("platform")
@click.option("--account", help="The platform's own id of the account that the token acts for.")
@click.option("--name", help="What to call it; default the account, or `app`.")
@makes_control
def add(home: Home, platform: str, account: str | None, name: str | None) -> None:
    """Store a token of PLATFORM, or replace the one of this name.

    Asks for tokens, or reads a pipe: a token alone, or the JSON object with which the platform
    answered (access_token, refresh_token, expires_in, refresh_expires_in), to which client_id and
    client_secret may be added. Without --account it is a token of an app: it may ask for all that
    is public.
    """
    from social_assets.ingest.connectors.add_credential import TokenTextError, tokens_of
    from social_assets.ingest.connectors.registry import connector_of

    connector = connector_of(platform)
    given: str | Mapping[str, str]
    if sys.stdin.isatty():
        given = {
            key: click.prompt(text, default="", hide_input=True, show_default=False, err=True)
            for key, text in _ASKED.items()
        }
    else:
        given = sys.stdin.read()
    try:
        tokens = tokens_of(connector, given)
    except TokenTextError as error:
        raise click.UsageError(str(error)) from None
    stored = _stored(home).add(connector.platform, tokens, account, name)
    ends = f"; it ends on {_told(stored.final_expires_at)}" if stored.final_expires_at else ""
    echo(f"stored credential {stored.name} of {stored.platform}{ends}")


@credentials.command("list")
@click.argument("platform", required=False)
@FORM
@reads_control
def list_(home: Home, platform: str | None, form: str) -> None:
    """List credentials: whose, when they end, why they do not work. Shows no token."""
    from social_assets.ingest.connectors.registry import connector_of

    named = connector_of(platform).platform if platform else None
    rows = [
        (
            each.platform,
            each.name,
            each.account_id or "",
            "active" if each.is_active else "revoked",
            _told(each.access_expires_at),
            _told(each.final_expires_at),
            each.revoked_reason or "",
        )
        for each in _stored(home).list(named)
    ]
    columns = ("platform", "name", "account", "state", "access_ends", "ends", "reason")
    print_rows(columns, rows, form)


@credentials.command()
@click.argument("platform")
@click.argument("name", required=False)
@reads_control
def rotate(home: Home, platform: str, name: str | None) -> None:
    """Renew the tokens of PLATFORM now, or those of NAME."""
    from social_assets.control.engine import open_engine
    from social_assets.ingest.connectors.add_credential import renew
    from social_assets.ingest.connectors.registry import connector_of

    renewed = renew(connector_of(platform), home, open_engine(home), name)
    for each in renewed:
        echo(f"{each.name}: renewed; the access token ends on {_told(each.access_expires_at)}")
    echo(f"renewed {counted(len(renewed), 'credential')}")


@credentials.command()
@click.argument("platform")
@click.argument("name")
@reads_control
def remove(home: Home, platform: str, name: str) -> None:
    """Delete the credential NAME of PLATFORM and its tokens."""
    from social_assets.ingest.connectors.registry import connector_of

    connector = connector_of(platform)
    _stored(home).remove(connector.platform, name)
    echo(f"removed credential {name} of {connector.platform}")


def _told(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""


def _stored(home: Home) -> PlatformCredentials:
    from social_assets.control.collection.credentials import PlatformCredentials
    from social_assets.control.engine import open_engine

    return PlatformCredentials(open_engine(home), home)
