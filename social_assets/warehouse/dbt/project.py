"""The dbt project of this installation: prepared in the home, with sources from the contracts.

Here belongs what it takes to run dbt: the prepared copy and its manifest, the arguments, the
environment of the profile. The process it runs in is `commands`' business; which assets its nodes
are stands in `tables` and `translator`. Imports neither Dagster nor dbt, so that loads and drains
can deploy the warehouse without them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from resources.clickhouse.cluster import (
    cluster_from_environment,
)
from resources.embedded_clickhouse.lifecycle import Endpoint
from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contracts
from social_assets.warehouse import ddl
from social_assets.warehouse.dbt.column_lineage import Columns, column_lineage
from social_assets.warehouse.dbt.commands import RunningDbt, start_dbt
from social_assets.warehouse.dbt.declared_tables import DeclaredTable, declared_tables
from social_assets.warehouse.dbt.generated_macros import generated_macros

PROJECT = Path(__file__).resolve().parents[3] / "dbt"
_PARTS = ("dbt_project.yml", "profiles.yml", "macros", "models", "tests")
"""The parts of the folder that are the project: an installed one shares site-packages with dbt."""

_CODE = ("project.py", "generated_macros.py", "column_lineage.py")
"""The modules that write the prepared project."""

_PREPARED_PROJECTS_KEPT = 3


class DbtError(RuntimeError):
    """dbt failed; the text has its own error lines."""


@dataclass(frozen=True)
class PreparedProject:
    """A prepared project: the folder that dbt runs in, and what identifies its content."""

    path: Path
    digest: str

    @property
    def target(self) -> Path:
        """The folder of dbt's artifacts from the preparation of the project."""
        return self.path / "target"

    @property
    def prepared(self) -> Path:
        """The file that is written last, when the project is ready for use."""
        return self.path / "prepared"

    @property
    def lineage_path(self) -> Path:
        """The file with the lineage of all columns."""
        return self.path / "column_lineage.json"

    def lineage(self) -> dict[str, Columns]:
        """Which columns each column of each table is made of."""
        found: dict[str, Columns] = json.loads(self.lineage_path.read_bytes())
        return found

    def declared(self, streams: Sequence[Contract] | None = None) -> tuple[DeclaredTable, ...]:
        """The tables and views that models and contracts declare, by default those of today."""
        return declared_tables(contracts() if streams is None else streams, self.manifest())

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], logs: Path
    ) -> RunningDbt:
        """Start dbt on the manifest parsed before; its log says what becomes of each node."""
        logs.mkdir(parents=True, exist_ok=True)
        parsed = self.target / "partial_parse.msgpack"
        # None of the files that dbt writes for a command is read.
        options = ["--no-write-json", "--target-path", str(self.path / "runs")]
        return start_dbt(parsed, [*arguments, *options, *self._logging_to(logs)], environment)

    def compile(self) -> RunningDbt:
        """Start to parse and compile the project."""
        options = ["--no-populate-cache", "--no-introspect", "--target-path", str(self.target)]
        return start_dbt(None, ["compile", *options, *self._logging_to(self.path / "logs")], {})

    def _logging_to(self, logs: Path) -> list[str]:
        folders = ["--project-dir", str(self.path), "--profiles-dir", str(self.path)]
        file = ["--log-path", str(logs), "--log-level-file", "info", "--log-format-file", "text"]
        return [*folders, *file, "--log-format", "json"]

    def manifest(self) -> dict[str, Any]:
        """The manifest that dbt wrote for the project."""
        return _manifest(self.target)


@cache
def _manifest(target: Path) -> dict[str, Any]:
    """Read once a process: the folder's name identifies its content."""
    parsed: dict[str, Any] = json.loads((target / "manifest.json").read_bytes())
    return parsed


def sources_yaml() -> str:
    """`cleaned.<stream>` of every contract as dbt sources, with types and descriptions."""
    tables = [
        {
            "name": contract.name,
            "description": contract.description,
            "columns": [
                *(
                    {
                        "name": c.name,
                        "data_type": ddl.clickhouse_type(c),
                        "description": c.description,
                    }
                    for c in contract.cleaned_columns
                ),
                *({"name": name} for name in provenance(contract)),
            ],
        }
        for contract in contracts()
    ]
    source = {
        "name": ddl.DATABASE,
        "schema": ddl.DATABASE,
        "description": "Accepted records, loaded from the lake: one table a stream",
        "tables": tables,
    }
    return str(yaml.safe_dump({"version": 2, "sources": [source]}, sort_keys=False))


def prepare(home: Home) -> PreparedProject:
    """The project of the present sources and contracts, compiled; cheap when nothing changed."""
    if project := prepared(home):
        return project
    digest = _digest(_text_of(contracts()))
    project = PreparedProject(home.path / "dbt" / digest, digest)
    project.path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(project.path.parent / "prepare.lock"):
        if not project.prepared.exists():
            _write(project)
            failure = f"dbt compile of {PROJECT} failed"
            _finish(project.compile(), failure, project.path / "logs" / "dbt.log")
            project.lineage_path.write_text(json.dumps(column_lineage(project.manifest())))
            project.prepared.touch()
            _remove_older(project)
    return project


def prepared(home: Home) -> PreparedProject | None:
    """The project of the present sources and contracts if `prepare` has made it already."""
    digest = _digest(_text_of(contracts()))
    project = PreparedProject(home.path / "dbt" / digest, digest)
    return project if project.prepared.exists() else None


_DAYS = ("days()", "days_around()")
"""How a model names the days that a run makes."""


def is_read(stream: str) -> bool:
    """Whether a table of days is made of the stream, told without preparing the project.

    A view on it has no rows to rebuild. A table of days names the days in its model.
    """
    source = f"source('{ddl.DATABASE}', '{stream}')"
    models = (model.read_text() for model in (PROJECT / "models").rglob("*.sql"))
    return any(source in model and any(days in model for days in _DAYS) for model in models)


def provenance(contract: Contract) -> list[str]:
    """The columns that every cleaned row has besides those of its contract."""
    return ddl.column_names(contract)[len(contract.cleaned_columns) :]


def _text_of(streams: Sequence[Contract]) -> str:
    """Everything that the generated files say of contracts; making the YAML takes twenty times
    longer.
    """
    return "\n".join([*map(ddl.create_table, streams), *generated_macros().values()])


def _digest(sources: str) -> str:
    """The identity of the prepared project: our files, the sources, and dbt's version."""
    return hashlib.sha256(f"{sources}\0{_digest_of_files()}".encode()).hexdigest()[:16]


@cache
def _digest_of_files() -> str:
    content = hashlib.sha256()
    for package in ("dbt-core", "dbt-clickhouse"):
        content.update(version(package).encode())
    for part in _PARTS:
        root = PROJECT / part
        for file in sorted([root] if root.is_file() else root.rglob("*")):
            if file.is_file():
                content.update(f"{file.relative_to(PROJECT)}\0".encode() + file.read_bytes())
    for code in _CODE:
        content.update((Path(__file__).parent / code).read_bytes())
    return content.hexdigest()


def _write(project: PreparedProject) -> None:
    shutil.rmtree(project.path, ignore_errors=True)
    project.path.mkdir()
    for part in _PARTS:
        origin = PROJECT / part
        if origin.is_file():
            shutil.copyfile(origin, project.path / part)
        elif origin.is_dir():
            shutil.copytree(origin, project.path / part, copy_function=shutil.copyfile)
    generated = {
        "generated/sources.yml": sources_yaml(),
        **{f"generated_macros/{name}.sql": text for name, text in generated_macros().items()},
    }
    for name, text in generated.items():
        (project.path / name).parent.mkdir(exist_ok=True)
        (project.path / name).write_text(text)


def _remove_older(project: PreparedProject) -> None:
    """Keep the few newest: a process that still runs may have loaded one of them."""
    others = [p for p in project.path.parent.iterdir() if p.is_dir() and p != project.path]
    by_age = sorted(others, key=lambda p: p.stat().st_mtime, reverse=True)
    for folder in by_age[_PREPARED_PROJECTS_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock file for the block, against other processes of this machine."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Days:
    """A range of event dates, both ends included."""

    first: date
    last: date


def dbt_arguments(command: str, select: Sequence[str] = (), days: Days | None = None) -> list[str]:
    """The command line of a dbt command on some models and days; without days it moves no row."""
    arguments = [command]
    if select:
        arguments += ["--select", *sorted(select)]
    if days is not None:
        dates = {"from_date": days.first.isoformat(), "to_date": days.last.isoformat()}
        arguments += ["--vars", json.dumps(dates)]
    return arguments


def dbt_environment(endpoint: Endpoint, log_comment: str, threads: int) -> dict[str, str]:
    """The variables that the profile reads: the warehouse's address, and a comment for
    the queries.
    """
    address = urlsplit(endpoint.url)
    secure = address.scheme == "https"
    cluster = cluster_from_environment()
    return {
        "SOCIAL_ASSETS_DBT_HOST": address.hostname or "localhost",
        "SOCIAL_ASSETS_DBT_PORT": str(address.port or (8443 if secure else 8123)),
        "SOCIAL_ASSETS_DBT_SECURE": str(secure),
        "SOCIAL_ASSETS_DBT_CLUSTER": cluster.name if cluster else "",
        "SOCIAL_ASSETS_DBT_USER": endpoint.user,
        "DBT_ENV_SECRET_CLICKHOUSE_PASSWORD": endpoint.password,
        "SOCIAL_ASSETS_DBT_THREADS": str(threads),
        "SOCIAL_ASSETS_LOG_COMMENT": log_comment,
    }


def run_dbt(
    project: PreparedProject,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    logs: Path,
) -> None:
    """Run dbt in another process.

    Raises DbtError with the messages of the failed nodes when the command failed, after the nodes
    that did not depend on them have been built.
    """
    failure = f"dbt {' '.join(arguments)} failed"
    _finish(project.start(arguments, environment, logs), failure, logs / "dbt.log")


def _finish(running: RunningDbt, failure: str, log: Path) -> None:
    """Read the log of a command to its end."""
    errors: list[str] = []
    with running:
        for line in running.stdout:
            if not line.startswith(b"{"):
                sys.stderr.write(line.decode())
            elif (event := json.loads(line)["info"])["level"] == "error":
                errors.append(event["msg"])
    if running.returncode:
        failed = f"{failure} with exit code {running.returncode} (log: {log}):"
        raise DbtError("\n".join([failed, *errors]))


if __name__ == "__main__":
    sys.stdout.write(f"{prepare(Home.from_environment()).path}\n")
