"""What a command does with the home: it reads an installation, creates one, or neither.

Belongs here: the decorators by which each command declares this, and the checks behind them. A
command that reads creates nothing if there is no installation; a command that creates one says so.
The layout of a home belongs to `resources.settings.home`.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar

import click

from resources.settings.environments import CONTROL_URL, current
from resources.settings.home import ENVIRONMENT_VARIABLE, Home

P = ParamSpec("P")
R = TypeVar("R")

Use = Literal["reads", "makes", "neither"]

_USE = "home_use"
_PARTS = ("lake", "clickhouse", "dagster", "kafka", "landing", "artifacts", "control")


class NoInstallationError(LookupError):
    """A command needs an installation, and the home has none."""

    def __init__(self, home: Home) -> None:
        found = "an empty folder" if _is_empty(home.path) else "a folder without an installation"
        super().__init__(
            f"no installation at {home.path} ({found if home.path.exists() else 'no such folder'})."
            f" Name the right folder with --home or {ENVIRONMENT_VARIABLE}; "
            "`social-assets load` or `social-assets demo` makes a new installation"
        )


class HomeUnusableError(OSError):
    """The home cannot be used by this user: it is not a folder, or not writable."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the home {path} can't be used: {reason}. Name another folder with --home or "
            f"{ENVIRONMENT_VARIABLE}"
        )


def reads_home(command: Callable[Concatenate[Home, P], R]) -> Callable[P, R]:
    """The command needs an existing installation; its first argument is the home."""
    return _checked(command, "reads", _require_installation)


def reads_warehouse(command: Callable[Concatenate[Home, P], R]) -> Callable[P, R]:
    """The command reads only the warehouse, which may be a server instead of the home's."""
    return _checked(command, "reads", _require_warehouse)


def reads_control(command: Callable[Concatenate[Home, P], R]) -> Callable[P, R]:
    """The command reads only the operational store, which may be a server instead of the home's."""
    return _checked(command, "reads", lambda home: _in_home(home, _require_installation))


def makes_control(command: Callable[Concatenate[Home, P], R]) -> Callable[P, R]:
    """The command writes only to the operational store, and creates the home's if there is none."""
    return _checked(command, "makes", lambda home: _in_home(home, announce_installation))


def makes_home(command: Callable[Concatenate[Home, P], R]) -> Callable[P, R]:
    """The command creates an installation if there is none; its first argument is the home."""
    return _checked(command, "makes", announce_installation)


def knows_home(command: Callable[Concatenate[Home, P], R]) -> Callable[P, R]:
    """The command works without an installation, or checks for one itself (`load`, once its
    arguments are right); it is given the home first.
    """
    return _checked(command, "neither", lambda _: None)


def needs_no_home(command: Callable[P, R]) -> Callable[P, R]:
    """The command does not use the home."""
    setattr(command, _USE, "neither")
    return command


def home_use(command: click.Command) -> Use | None:
    """What a command has declared; None if it has not."""
    use: Use | None = getattr(command.callback, _USE, None)
    return use


def is_installation(home: Home) -> bool:
    """Whether the folder has any part of an installation. Creates nothing."""
    return any((home.path / part).is_dir() for part in _PARTS)


def _checked(
    command: Callable[Concatenate[Home, P], R], use: Use, check: Callable[[Home], None]
) -> Callable[P, R]:
    @wraps(command)
    def checked(*arguments: P.args, **options: P.kwargs) -> R:
        home = click.get_current_context().find_object(Home)
        if home is None:  # the group always sets it
            raise click.UsageError(f"no home: set {ENVIRONMENT_VARIABLE} or --home")
        check(home)
        return command(home, *arguments, **options)

    setattr(checked, _USE, use)
    return checked


def _require_installation(home: Home) -> None:
    # A deployed installation has its data elsewhere; the home of a new machine is empty.
    if current().is_deployed:
        return
    _require_usable(home)
    if not is_installation(home):
        raise NoInstallationError(home)


def _require_warehouse(home: Home) -> None:
    from resources.clickhouse.resource import URL_VARIABLE

    if not os.environ.get(URL_VARIABLE):
        _require_installation(home)


def _in_home(home: Home, check: Callable[[Home], None]) -> None:
    """Check the home if it is what holds the operational store."""
    if not os.environ.get(CONTROL_URL):
        check(home)


def announce_installation(home: Home) -> None:
    """Print that an installation will be created, if there is none. Raises HomeUnusableError."""
    _require_usable(home)
    if not is_installation(home):
        click.echo(f"creating a new installation in {home.path}", err=True)


def _require_usable(home: Home) -> None:
    """Raise HomeUnusableError if the folder cannot be a home of this user, or is not restored."""
    existing = path = home.path
    try:
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        status = existing.stat()
    except OSError as error:
        raise HomeUnusableError(path, error.strerror or str(error)) from error
    if not existing.is_dir():
        raise HomeUnusableError(path, f"{existing} is not a directory")
    if not os.access(existing, os.W_OK | os.X_OK):
        is_read_only = bool(os.statvfs(existing).f_flag & os.ST_RDONLY)
        reason = (
            "is on a read-only file system" if is_read_only else "can't be written by this user"
        )
        raise HomeUnusableError(path, f"{existing}, owned by {_owner(status.st_uid)}, {reason}")
    if home.restoring.exists():
        raise HomeUnusableError(
            path, "a restore into it is unfinished; the same `social-assets restore` completes it"
        )


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
