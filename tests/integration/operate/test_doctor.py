"""The doctor names each fault and its remedy; the tests cause real faults."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.disk_space import RESERVE_VARIABLE
from resources.settings.environments import VARIABLE
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.settings.variables import PREFIX
from social_assets.alerts.channels import URLS, Routing
from social_assets.alerts.dispatch import journal_of
from social_assets.contracts import registry
from social_assets.operate.doctor import examine as doctor
from social_assets.operate.doctor import machine as doctor_machine
from social_assets.operate.doctor import services as doctor_services
from social_assets.operate.doctor import settings as doctor_settings
from social_assets.operate.doctor.diagnostic import Diagnostic, Health
from social_assets.operate.doctor.examine import examine
from social_assets.operate.runs.instance import use_home
from tests.small_disk import MakeSmallDisk

NOBODY = "127.0.0.1:9"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in [n for n in os.environ if n.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", "")
    found = Home(tmp_path / "home")
    found.path.mkdir(mode=0o700)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(found.path))
    return found


def troubles(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """The diagnostics that are not ok, with their remedies."""
    return [
        f"{f.health.value}: {f.found}: {f.remedy}" for f in diagnostics if f.health is not Health.OK
    ]


def test_a_fresh_home_lacks_nothing_but_somebody_to_tell(home: Home) -> None:
    assert [f.found for f in examine(home) if f.health is not Health.OK] == [
        "nobody is told of failures"
    ]


def test_production_lists_all_addresses_that_lack_at_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "production")
    found = " ".join(troubles(doctor_settings.environment(home)))
    for name in (
        "LAKE_URL",
        "CLICKHOUSE_URL",
        "KAFKA_BOOTSTRAP_SERVERS",
        "DAGSTER_POSTGRES_URL",
        "CONTROL_URL",
    ):
        assert f"{PREFIX}{name} is not set" in found


def test_an_environment_that_does_not_exist_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "prod")
    (found,) = troubles(doctor_settings.environment(home))
    assert "'prod'; it must be one of local, test, staging, production" in found


def test_a_misspelt_variable_is_named_with_the_right_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOSE_URL", "http://x")
    (found,) = troubles(doctor_settings.environment(home))
    assert "CLICKHOSE_URL is set, and nothing reads it: did you mean " + URL_VARIABLE in found


def test_a_contract_that_does_not_load_is_an_error_with_its_reason(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "broken.py").write_text("import no_such_module")
    monkeypatch.setenv(registry.EXTRA_CONTRACTS, str(folder))
    registry.registered.cache_clear()
    try:
        found = [f for f in examine(home) if f.subject == "contracts"]
    finally:
        registry.registered.cache_clear()
    good, broken = found
    assert (good.health, broken.health) == (Health.OK, Health.ERROR)
    assert "broken.py, line 1, stream broken: ModuleNotFoundError" in broken.found
    assert broken.remedy.startswith("correct the contract")


def test_files_that_could_not_be_read_are_named(home: Home) -> None:
    failed = home.landing / "posts" / "failed"
    failed.mkdir(parents=True)
    (failed / "bad.ndjson").touch()
    (home.landing / "tweets").mkdir()
    unread, strange = troubles(doctor_settings.contracts(home))
    assert "1 files of posts could not be read, such as bad.ndjson" in unread
    assert "tweets is of no stream" in strange


def test_a_channel_that_takes_nothing_is_named_without_its_secret(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URLS, "json://127.0.0.1/hunter2secret")
    monkeypatch.setenv("SOCIAL_ASSETS_UI_URL", "http://127.0.0.1:3000")
    (channel,) = Routing.from_environment().channels
    journal_of(home).record_undelivered(channel, "refused", time.time())
    (found,) = troubles(doctor_settings.alerts(home))
    assert f"json of {URLS} has taken nothing" in found
    assert "hunter2secret" not in found


def test_an_old_or_missing_package_is_named(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "site" / "social_assets-9.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(
        "Metadata-Version: 2.1\nName: social-assets\nVersion: 9\n"
        "Requires-Dist: dagster>=99\nRequires-Dist: no-such-package\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    old, missing = troubles(doctor_machine.packages(home))
    assert "dagster is 1." in old
    assert "no-such-package is missing" in missing


def test_too_few_open_files_are_named_with_the_command(home: Home) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        (found,) = troubles(doctor_machine.python(home))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "may open 256 files: raise it: ulimit -n" in found


def test_a_home_that_cannot_be_written_is_named() -> None:
    (found,) = troubles(doctor_machine.home_folder(Home(Path("/proc/home"))))
    assert "/proc cannot be written" in found


def test_a_password_that_others_can_read_is_named(home: Home) -> None:
    home.clickhouse.mkdir()
    password = home.clickhouse / "password"
    password.write_text("x")
    password.chmod(0o644)
    home.path.chmod(0o777)
    readable, writable = troubles(doctor_machine.home_folder(home))
    assert f"chmod 600 {password}" in readable
    assert f"chmod o-w {home.path}" in writable


def test_a_disk_that_runs_full_is_named_with_what_lies_on_it(
    home: Home, monkeypatch: pytest.MonkeyPatch, small_disk: MakeSmallDisk
) -> None:
    monkeypatch.setenv(RESERVE_VARIABLE, str(16 * 1024**2))
    home.lake.mkdir()
    lake = small_disk(64, at=home.lake)
    assert troubles(doctor_machine.disk(home)) == []
    lake.fill(leave_bytes=24 * 1024**2)
    (found,) = troubles(doctor_machine.disk(home))
    assert found.startswith(f"warn: 24.0 MiB free on the disk of {home.lake} (lake)")
    lake.fill(leave_bytes=8 * 1024**2)
    (found,) = troubles(doctor_machine.disk(home))
    assert found.startswith(f"error: 8.0 MiB free on the disk of {home.lake} (lake)")
    for part in ("below the reserve of 16.0 MiB", "make room", RESERVE_VARIABLE):
        assert part in found
    lake.make_room()
    assert troubles(doctor_machine.disk(home)) == []
    (home.clickhouse / "data").mkdir(parents=True)
    small_disk(8, at=home.clickhouse / "data")
    (found,) = troubles(doctor_machine.disk(home))
    assert "(warehouse), below the reserve of 16.0 MiB; inserts are refused" in found


def test_little_memory_is_named(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable: 100000 kB\n")
    monkeypatch.setattr(doctor_machine, "_MEMORY", tmp_path / "meminfo")
    (found,) = troubles(doctor_machine.memory(home))
    assert "0.1 of 7.6 GiB free" in found


def test_a_clock_that_went_back_is_named(home: Home) -> None:
    home.logs.mkdir()
    os.utime(home.logs, (time.time() + 3600, time.time() + 3600))
    (found,) = troubles(doctor_machine.clock(home))
    assert "3,600 s later" in found


def test_an_old_java_is_named(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (found,) = troubles(doctor_machine.java(home))
    assert "install Java 17" in found


def test_a_lake_that_cannot_be_read_is_an_error(home: Home) -> None:
    log = home.lake / "raw" / "posts" / "_delta_log"
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").write_text("{not json")
    assert named(home, "lake")[0].health is Health.ERROR


def test_a_clickhouse_that_is_away_is_named_with_its_variable_and_no_password(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, f"http://user:hunter2secret@{NOBODY}")
    (found,) = named(home, "ClickHouse")
    assert found.health is Health.ERROR
    assert URL_VARIABLE in found.found
    assert "hunter2secret" not in found.found


def test_the_embedded_clickhouse_is_examined_when_it_runs_and_not_started_for_it(
    home: Home,
) -> None:
    (stopped,) = doctor_services.clickhouse(home)
    assert "starts when it is needed" in stopped.found
    assert not home.clickhouse.exists()
    ensure_running(home)
    try:
        found = list(doctor_services.clickhouse(home))
    finally:
        stop(home)
    assert [f.health for f in found if "%" not in f.found] == [Health.OK]
    assert "at http://127.0.0.1" in found[0].found


class Server:
    """A healthy ClickHouse apart from the answers that a test changes."""

    def __init__(self, version: str = "25.8.1", **said: float) -> None:
        self.server_version = version
        self._said = {"granted": 1.0, "ahead": 0.0, "free": 50.0, **said}

    def query(self, text: str) -> Server:
        said = self._said
        if "GRANT" in text:
            self.result_rows = [(said["granted"],)]
        elif "now64" in text:
            self.result_rows = [(time.time() + said["ahead"],)]
        else:
            self.result_rows = [("default", "/var/lib", said["free"], 100.0)]
        return self

    def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize(
    ("server", "found"),
    [
        (Server(), []),
        (Server("25.7.9"), ["error: version 25.7.9: upgrade to 25.8 or newer"]),
        (Server(granted=0), ["error: user u lacks rights: as an administrator: GRANT"]),
        (Server(ahead=3600.0), ["error: ClickHouse's is +3,600 s from this machine's"]),
        (Server(free=9.0), ["warn: 9% free on its disk default"]),
    ],
    ids=["well", "old", "without rights", "another clock", "full"],
)
def test_what_lacks_of_a_clickhouse_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch, server: Server, found: list[str]
) -> None:
    monkeypatch.setenv(URL_VARIABLE, "http://u:p@somewhere:8123")
    monkeypatch.setattr(doctor_services, "connect", lambda endpoint, comment: server)
    said = troubles(doctor_services.clickhouse(home))
    assert [text[: len(wanted)] for text, wanted in zip(said, found, strict=True)] == found


def test_a_service_that_never_answers_does_not_hold_the_doctor(
    home: Home, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.5)
    monkeypatch.setenv(URL_VARIABLE, f"http://{silent}")
    (found,) = named(home, "ClickHouse")
    assert found.found.startswith("no answer within")


def test_a_kafka_that_is_away_is_named_with_its_variable(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BOOTSTRAP_SERVERS, NOBODY)
    (found,) = named(home, "Kafka")
    assert BOOTSTRAP_SERVERS in found.found


def test_a_daemon_that_does_not_run_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    use_home(home)
    monkeypatch.delenv("DAGSTER_HOME")
    (found,) = troubles(doctor_services.dagster(home))
    assert "SENSOR" in found
    assert "social-assets dev" in found


def test_a_dagster_yaml_that_is_wrong_is_an_error_with_its_reason(home: Home) -> None:
    use_home(home)
    (home.dagster / "dagster.yaml").write_text("storage: {mongo: {}}")
    (found,) = named(home, "Dagster")
    assert found.health is Health.ERROR
    assert "mongo" in found.found


@pytest.mark.parametrize(("environment", "code"), [("local", 0), ("nowhere", 1)])
def test_the_exit_code_says_whether_something_is_wrong(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: str,
    code: int,
) -> None:
    from social_assets.cli.main import main

    monkeypatch.setenv(VARIABLE, environment)
    try:
        main(["doctor", "--format", "json"])
        ended = 0
    except SystemExit as stopped:
        ended = int(stopped.code or 0)
    rows = json.loads(capsys.readouterr().out)
    assert ended == code
    assert {"health", "what", "found", "do"} == set(rows[0])


def named(home: Home, subject: str) -> list[Diagnostic]:
    """All diagnostics of one subject."""
    return [diagnostic for diagnostic in examine(home) if diagnostic.subject == subject]


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a listener that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"
