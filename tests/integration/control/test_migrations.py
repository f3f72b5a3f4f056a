"""The tables of the operational store: made once, whole or not at all, by whoever comes first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from resources.settings.environments import CONTROL_URL
from resources.settings.home import Home
from social_assets.control import api_keys, dashboards
from social_assets.control.collection import credentials
from social_assets.control.collection import tables as collection_tables
from social_assets.control.engine import engine_of, open_engine, reading, writing
from social_assets.control.errors import ControlStoreNewerError
from social_assets.control.location import ControlLocation
from social_assets.control.migrate import REVISIONS, VERSION_TABLE
from social_assets.control.privacy import deletion_requests
from social_assets.control.reports import deliveries, schedules
from social_assets.control.schema import METADATA
from social_assets.control.secrets import encrypted_secrets

CHECKOUT = Path(__file__).resolve().parents[3]
TABLES = {
    api_keys.API_KEYS.name,
    dashboards.SAVED_DASHBOARDS.name,
    schedules.REPORT_SCHEDULES.name,
    deliveries.REPORT_DELIVERIES.name,
    encrypted_secrets.ENCRYPTED_SECRETS.name,
    credentials.PLATFORM_CREDENTIALS.name,
    collection_tables.TRACKED_ACCOUNTS.name,
    collection_tables.TRACKED_ENDPOINTS.name,
    collection_tables.CHAIN_POSITIONS.name,
    deletion_requests.DELETION_REQUESTS.name,
}

OPEN = """
import sys
from resources.settings.home import Home
from social_assets.control.api_keys import ApiKeys
from social_assets.control.engine import open_engine

# All imports of a migration are done before the processes start at once.
import alembic.command, alembic.runtime.migration, psycopg2

print("ready", flush=True)
sys.stdin.readline()
engine = open_engine(Home.from_environment())
print(ApiKeys(engine).create(sys.argv[1]).text)
"""

OPEN_AND_DIE = """
import os, signal, sys
from resources.settings.home import Home
from sqlalchemy import Engine, event
from social_assets.control.engine import open_engine

seen = 0


def die(connection, cursor, statement, *_):
    global seen
    if statement.lstrip().startswith(("CREATE", "INSERT", "UPDATE")):
        seen += 1
        if seen == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)


event.listen(Engine, "after_cursor_execute", die)
open_engine(Home.from_environment())
print(seen)
"""


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_the_migrations_make_the_tables_that_the_code_declares(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, METADATA) == []
    assert set(METADATA.tables) == TABLES


def test_the_code_knows_every_revision_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", "social_assets.control:migrations")
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [REVISIONS[-1]]
    found = [each.revision for each in script.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_processes_that_come_at_once_make_the_tables_once(store_home: Home) -> None:
    processes = [started(OPEN, f"key{number}") for number in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [(*process.communicate(timeout=120), process.returncode) for process in processes]
    assert [code for _, _, code in ended] == [0] * 3, ended
    engine = open_engine(store_home)
    names = {key.name for key in api_keys.ApiKeys(engine).list()}
    assert names == {"key0", "key1", "key2"}
    assert tables(engine) == {*TABLES, VERSION_TABLE}
    engine.dispose()


def test_a_migration_that_is_killed_anywhere_leaves_nothing_and_is_made_again(
    store_home: Home,
) -> None:
    engine = engine_of(ControlLocation.of(store_home))
    for statement in (1, 3, 5, 8, 1000):
        process = started(OPEN_AND_DIE, str(statement))
        said, error = process.communicate(timeout=120)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, error
        assert tables(engine) == set()
    assert int(said) >= 8
    assert tables(engine) == {*TABLES, VERSION_TABLE}
    engine.dispose()


def test_a_store_of_a_newer_release_is_refused_with_the_remedy(
    store_home: Home, engine: Engine
) -> None:
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ControlStoreNewerError, match="is at revision 9999") as error:
        open_engine(store_home)
    assert f"knows revisions up to {REVISIONS[-1]}" in str(error.value)
    assert "install that release" in str(error.value)


def test_a_store_that_is_up_to_date_is_opened_without_alembic(sqlite_home: Home) -> None:
    open_engine(sqlite_home).dispose()
    program = (
        "import sys; from resources.settings.home import Home;"
        "from social_assets.control.engine import open_engine;"
        "open_engine(Home.from_environment()); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_the_room_imports_no_sqlalchemy() -> None:
    program = (
        "import sys, social_assets.control, social_assets.control.errors,"
        "social_assets.control.location, social_assets.control.accounts;"
        "assert not {'sqlalchemy', 'alembic', 'cryptography'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ})


def test_the_file_is_readable_by_its_user_alone(sqlite_home: Home) -> None:
    open_engine(sqlite_home).dispose()
    file = sqlite_home.control / "control.db"
    file.chmod(0o644)
    engine = open_engine(sqlite_home)
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM api_keys"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in _files(file.parent)}
    assert modes.pop("migrate.lock")
    assert modes == {"control.db": 0o600, "control.db-wal": 0o600, "control.db-shm": 0o600}
    assert file.parent.stat().st_mode & 0o777 == 0o700
    engine.dispose()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def test_the_wheel_has_every_migration(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        check=True,
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = {Path(name).name for name in zipfile.ZipFile(wheel).namelist() if "control/m" in name}
    there = {path.name for path in (CHECKOUT / "social_assets/control/migrations").rglob("*.py")}
    assert len(there) == len(REVISIONS) + 1
    assert there <= packed


@pytest.mark.endurance
def test_dagster_keeps_its_tables_in_the_same_database(
    postgres_database: str, sqlite_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTROL_URL, postgres_database)
    before = open_engine(sqlite_home)
    names = tables(before)
    program = (
        "import sys; from dagster_postgres import DagsterPostgresStorage as Storage;"
        "storage = Storage(sys.argv[1]); print(storage.run_storage.get_runs_count())"
    )
    subprocess.run([sys.executable, "-c", program, postgres_database], check=True)
    after = open_engine(sqlite_home)
    assert names < tables(after)
    assert "alembic_version" in tables(after) - names
    assert api_keys.ApiKeys(after).list() == []
    before.dispose()
    after.dispose()
