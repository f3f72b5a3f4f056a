"""The token of a home's web pages (Dagster UI, dashboards), and the settings of who may reach them.

Belongs here: where the token is, and how a browser gets it. The gates decide which requests need
it. The token is a file of mode 0600 in the home, or SOCIAL_ASSETS_UI_TOKEN. It is never in the
arguments of a process, which every user of a machine can read.
"""

from __future__ import annotations

import html
import os
import secrets
import stat
from pathlib import Path
from urllib.parse import urlencode

from resources.settings.environments import EnvironmentSettingsError
from resources.settings.home import Home

TOKEN = "SOCIAL_ASSETS_UI_TOKEN"  # noqa: S105 - the name of a variable
HOSTS = "SOCIAL_ASSETS_UI_HOSTS"
_LEAST_LENGTH = 24


def token_file(home: Home) -> Path:
    """The file of the home's token."""
    return home.path / "ui" / "token"


def ui_token(home: Home) -> str:
    """The token of the environment, or else of the home; the first call creates it.

    Raises EnvironmentSettingsError if the environment's token is too short to be safe.
    """
    named = os.environ.get(TOKEN)
    if named:
        if len(named) < _LEAST_LENGTH:
            raise EnvironmentSettingsError(
                f"{TOKEN} has {len(named)} characters; give it {_LEAST_LENGTH} or more, "
                "such as the output of: openssl rand -hex 24"
            )
        return named
    path = token_file(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        # Two processes may start at once: the first file wins.
        _write_new(path, secrets.token_urlsafe(32) + "\n")
    except FileExistsError:
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return path.read_text().strip()


def login_url(url: str, token: str) -> str:
    """The address that signs a browser in."""
    return f"{url}/?{urlencode({'token': token})}"


def login_page(home: Home, url: str) -> str:
    """A file:// address of a page that leads to the login address.

    A browser is started with this one: its arguments can be read by other users, the file cannot.
    """
    path = token_file(home).with_name("open.html")
    target = html.escape(login_url(url, ui_token(home)), quote=True)
    path.unlink(missing_ok=True)
    _write_new(
        path,
        '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0;url={target}"><title>social-assets</title>',
    )
    return path.as_uri()


def _write_new(path: Path, text: str) -> None:
    """Write a new file, which is complete when it appears. Raises FileExistsError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(part, flags, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(part, path)
    finally:
        part.unlink()
