"""The stores that are databases of PostgreSQL: dumped and restored by its own programs.

Belongs here: calling `pg_dump` and `pg_restore`. A password is in their environment, never among
their arguments.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from resources.settings.environments import CONTROL_URL, DAGSTER_STORAGE_URL
from resources.settings.secret_urls import check_postgres_url, read_url
from social_assets.operate.disaster.manifest import BackupError

FOLDER = "postgres"
DUMPS: Mapping[str, str] = {
    CONTROL_URL: f"{FOLDER}/control.dump",
    DAGSTER_STORAGE_URL: f"{FOLDER}/dagster.dump",
}
"""Variable that names a database -> where its dump is in a backup, in the order of copying."""

_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")


def dump(variable: str, target: Path) -> None:
    """Write the database that a variable names to a file, as it is at one instant.

    Raises BackupError, UrlSettingError.
    """
    options = ("--format=custom", "--compress=1", f"--file={target}")
    _run(variable, "pg_dump", *options, remedy="no backup was made")


def load(variable: str, source: Path) -> None:
    """Fill the empty database that a variable names from a dump, in one transaction.

    Raises BackupError, UrlSettingError.
    """
    options = ("--exit-on-error", "--single-transaction")
    remedy = (
        "nothing was restored into it: name an empty database (drop it and create it anew, if it "
        "has tables), and give the same command again"
    )
    _run(variable, "pg_restore", *options, str(source), remedy=remedy)


def _run(variable: str, program: str, *options: str, remedy: str) -> None:
    url = os.environ[variable]
    check_postgres_url(variable, url)
    address = read_url(variable, url, _SCHEMES, "")
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = f":{address.port}" if address.port else ""
    # Its name, and what follows: SSL's settings, say.
    place = f"postgresql://{quote(address.user, safe='')}@{host}{port}{address.rest}"
    command = [program, "--no-owner", "--no-privileges", "--no-password", f"--dbname={place}"]
    try:
        done = subprocess.run(
            [*command, *options],
            env={**os.environ, "PGPASSWORD": address.password},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BackupError(
            f"{variable} names a PostgreSQL server, and {program} is not installed: install the "
            "client of its version (postgresql-client)"
        ) from error
    if done.returncode:
        told = " ".join(done.stderr.split())[:400]
        raise BackupError(
            f"{program} of the database that {variable} names failed: {told}; {remedy}"
        )
