"""`social-assets secrets ...`: store encrypted values, change their key. Only parses and prints.

A value is read from the terminal without echo, or from standard input: never from an argument,
which other users and the shell's history could see.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import makes_control, reads_control
from social_assets.cli.printing.terminal import FORM, echo, print_rows
from social_assets.quality.counted import counted

if TYPE_CHECKING:
    from resources.settings.home import Home
    from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets


@click.group(short_help="Store secrets encrypted; change their key.")
def secrets() -> None:
    """Encrypted secrets, such as the URL of a channel that a report goes to."""


@secrets.command("set")
@click.argument("name")
@makes_control
def set_(home: Home, name: str) -> None:
    """Store a value under NAME, or replace it. Asks for it, or reads it from a pipe."""
    value = (
        click.prompt("value", hide_input=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.read().rstrip("\n")
    )
    try:
        stored = _stored(home).put(name, value)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    echo(f"stored secret {stored.name}, version {stored.version}, under key {stored.key_id}")


@secrets.command("list")
@FORM
@reads_control
def list_(home: Home, form: str) -> None:
    """List names and keys of all secrets, without their values."""
    rows = [
        (each.name, each.version, each.key_id, f"{each.updated_at:%Y-%m-%dT%H:%M:%SZ}")
        for each in _stored(home).list()
    ]
    print_rows(("name", "version", "key_id", "updated_at"), rows, form)


@secrets.command()
@click.argument("name")
@reads_control
def delete(home: Home, name: str) -> None:
    """Delete the secret NAME."""
    _stored(home).delete(name)
    echo(f"deleted secret {name}")


@secrets.command()
@reads_control
def rotate(home: Home) -> None:
    """Encrypt all secrets again, under a new key.

    The new key is the first of SOCIAL_ASSETS_SECRET_KEY (new,old), or is made if the key is in the
    home's file. Interrupted, the same command completes it.
    """
    count = _stored(home).rotate()
    echo(f"encrypted {counted(count, 'secret')} under the new key" if count else "no secrets yet")


def _stored(home: Home) -> EncryptedSecrets:
    from social_assets.control.engine import open_engine
    from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets

    return EncryptedSecrets(open_engine(home), home)
