"""Files that producers put into a bucket are loaded once, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance, SensorResult, SkipReason, build_sensor_context

from resources.embedded_clickhouse.lifecycle import stop
from resources.machine.ports import free_port
from resources.settings.bucket_urls import LANDING_URL
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.lake.storage.errors import LakeStoreError
from social_assets.lake.storage.file_system import storage_of
from social_assets.operate.runs.locations import Location
from social_assets.pipeline.files.landing_folder import Landing
from social_assets.pipeline.landing_store.landing_objects import (
    LandingObjects,
    fetch_objects,
    waiting_objects,
)
from social_assets.pipeline.privacy.erase_persons import Erased
from social_assets.pipeline.privacy.landing_objects import mark_objects, objects_left
from tests.conftest import DeployedHome
from tests.faulty_proxy import Fault, Request, at_random, faulty_proxy
from tests.s3_server import BUCKET, S3Server

pytestmark = pytest.mark.s3

STREAM = "engagement_events"
LIKE = (
    '{{"event_id": "{id}", "event_time": "2026-11-01T10:00:00Z", "platform": "X", "account_id": 1,'
    ' "post_id": "p", "user_id": "u", "metric_type": "like", "value": {value}}}\n'
)


@pytest.fixture(autouse=True)
def store(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"{bucket}/{tmp_path.name}"
    monkeypatch.setenv(LANDING_URL, url)
    return url


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", STREAM)


def put(store: str, key: str, content: bytes) -> None:
    storage = storage_of(f"{store}/{STREAM}", {})
    with storage.files.open_output_stream(storage.path(key)) as stream:
        stream.write(content)


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_each_version_of_an_object_is_copied_once(store: str, landing: Landing) -> None:
    put(store, "a.ndjson", b"1")
    put(store, "day=2026-11-01/part-0.ndjson", b"22")
    assert names(fetch_objects(landing)) == ["a.ndjson", "day=2026-11-01__part-0.ndjson"]
    assert fetch_objects(landing) == []
    put(store, "a.ndjson", b"3")  # of the same size, within the same second
    (again,) = fetch_objects(landing)
    assert (again.name, again.read_bytes()) == ("a.2.ndjson", b"3")
    assert (landing.folder / "a.ndjson").read_bytes() == b"1", "a file that waits is not replaced"
    assert waiting_objects(landing) == 0


def test_a_bucket_whose_name_is_wrong_is_not_taken_for_an_empty_one(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LANDING_URL, "s3://absent-bucket/landing")
    with pytest.raises(LakeStoreError, match=f"Create the bucket, or correct {LANDING_URL}"):
        fetch_objects(landing)


def test_a_policy_may_allow_the_folder_alone(
    s3: S3Server, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bucket_itself(request: Request) -> Fault | None:
        return Fault.FORBIDDEN if request.method == "HEAD" else None

    with faulty_proxy(s3.port, bucket_itself) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        assert fetch_objects(landing) == []
        assert proxy.given[Fault.FORBIDDEN], "the bucket was examined, since nothing was listed"
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")


def test_unfinished_objects_and_copies_of_loaded_files_are_left_alone(
    store: str, landing: Landing
) -> None:
    for key in ("_SUCCESS", ".hidden", "x.csv.tmp", "_temporary/0/x.csv", "loaded/x", "failed/x"):
        put(store, key, b"1")
    assert waiting_objects(landing) == 0


def test_an_object_that_is_replaced_while_it_is_copied_is_left_for_the_next_call(
    s3: S3Server, store: str, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "a.ndjson", b"old")
    is_replaced = []

    def replace(request: Request) -> Fault | None:
        if request.method == "GET" and request.path.endswith("a.ndjson") and not is_replaced:
            is_replaced.append(request)
            place = s3.folder / BUCKET / Path(request.path).relative_to(f"/{BUCKET}")
            assert place.read_bytes() == b"old"
            subprocess.run([sys.executable, "-c", PUT, store, "new"], check=True, env=direct)
        return None

    direct = dict(os.environ)
    with faulty_proxy(s3.port, replace) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        assert fetch_objects(landing) == []
        assert is_replaced
        (copy,) = fetch_objects(landing)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")
    assert copy.read_bytes() == b"new"


PUT = """
import sys
from tests.integration.s3.test_landing_objects import put
put(sys.argv[1], "a.ndjson", sys.argv[2].encode())
"""


def test_a_listing_that_ends_after_its_first_page_takes_nothing(
    s3: S3Server, store: str, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = s3.folder / BUCKET / store.rpartition("/")[2] / STREAM
    folder.mkdir(parents=True)
    for number in range(1_100):
        (folder / f"{number:04}.csv").write_text("x")

    def second_page(request: Request) -> Fault | None:
        return Fault.REFUSED if "continuation-token" in request.path else None

    with faulty_proxy(s3.port, second_page) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(LakeStoreError, match=f"landing at {store}/{STREAM} cannot be read"):
            fetch_objects(landing)
        proxy.faults = at_random(0, 1)
        assert waiting_objects(landing) == 1_100
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")
    assert not landing.waiting()


def test_refused_and_cut_requests_leave_whole_copies(
    s3: S3Server, store: str, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {f"{number}.csv": os.urandom(100_000) for number in range(30)}
    for key, content in expected.items():
        put(store, key, content)
    faults = at_random(0.1, 2026, Fault.REFUSED, Fault.CUT_BEFORE, Fault.CUT_AFTER)
    with faulty_proxy(s3.port, faults) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        fetch_objects(landing)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")
    assert proxy.given.total() >= 5
    assert {path.name: path.read_bytes() for path in landing.waiting()} == expected


FETCH = """
import sys
from pathlib import Path
from social_assets.pipeline.files.landing_folder import Landing
from social_assets.pipeline.landing_store.landing_objects import fetch_objects
fetch_objects(Landing(Path(sys.argv[1]), sys.argv[2]))
"""


def test_a_copy_that_is_killed_at_any_request_is_completed_by_the_next_call(
    s3: S3Server, store: str, tmp_path: Path
) -> None:
    put(store, "a.csv", b"a" * 1000)
    put(store, "b.csv", b"b" * 1000)
    number, is_done = 0, False
    while not is_done:
        landing = Landing(tmp_path / str(number), STREAM)
        requests = iter(range(1000))

        def held(_: Request, *, to: int = number) -> Fault | None:
            return Fault.HELD_AFTER if next(requests) == to else None  # noqa: B023

        with faulty_proxy(s3.port, held) as proxy:
            process = subprocess.Popen(
                [sys.executable, "-c", FETCH, landing.root, STREAM],
                env={**os.environ, **s3.environment(proxy.port)},
            )
            while not proxy.is_held.wait(0.05) and process.poll() is None:
                pass
            is_done = process.poll() is not None
            process.send_signal(signal.SIGKILL)
            process.wait()
        fetch_objects(landing)
        found = {path.read_bytes() for path in landing.waiting()}
        assert found == {b"a" * 1000, b"b" * 1000}, f"killed at request {number}"
        number += 1
    assert number >= 8


def test_objects_of_a_forgotten_person_are_named_until_their_owner_deletes_them(
    store: str, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    put(store, "a.csv", b"1")
    put(store, "b.csv", b"2")
    fetch_objects(Landing(home.landing, STREAM))
    first = [Erased(STREAM, 1, (), frozenset({"a.csv"}))]
    mark_objects(home, first)
    second = [Erased(STREAM, 0, (), frozenset())]  # the next pass finds no record in raw
    mark_objects(home, second)
    (left,) = objects_left(home, second)
    assert left.place == f"{store}/{STREAM}/a.csv"
    assert "the owner of the bucket deletes it" in left.remedy
    put(store, "a.csv", b"without the person")
    assert objects_left(home, second) == []


@pytest.fixture
def home(deployed_home: DeployedHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    home = deployed_home("landing")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    yield home
    stop(home)


def test_the_sensor_asks_for_a_load_which_takes_each_record_once(home: Home, store: str) -> None:
    from sensors.file_arrival import file_arrival_sensor
    from social_assets.defs.ingestion.jobs.load_job import run_config

    look = file_arrival_sensor(contract(STREAM))
    job = Location.STREAMING.definitions().resolve_job_def("load_files")
    put(store, "likes.ndjson", "".join(LIKE.format(id=n, value=1) for n in (1, 2)).encode())
    with DagsterInstance.ephemeral() as instance:
        assert isinstance(look(build_sensor_context(instance=instance)), SensorResult)
        for _ in range(2):
            job.execute_in_process(instance=instance, run_config=run_config(STREAM))
        assert isinstance(look(build_sensor_context(instance=instance)), SkipReason)
        # The record of copies is lost, and the object has another name: the content decides.
        (home.landing / STREAM / ".objects.sqlite").unlink()
        put(store, "again.ndjson", "".join(LIKE.format(id=n, value=1) for n in (1, 2)).encode())
        job.execute_in_process(instance=instance, run_config=run_config(STREAM))
        put(store, "likes.ndjson", "".join(LIKE.format(id=n, value=1) for n in (2, 3)).encode())
        job.execute_in_process(instance=instance, run_config=run_config(STREAM))
        landing = Landing(home.landing, STREAM)
        assert isinstance(look(build_sensor_context(instance=instance)), SkipReason)
    assert landing.waiting() == []
    objects = LandingObjects.of(landing)
    assert objects is not None
    assert [each.key for each in objects.listed()] == ["again.ndjson", "likes.ndjson"]
    counted = subprocess.run(
        [sys.executable, "-m", "social_assets", "sql", "SELECT count() FROM star.fact_engagement"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert counted.stdout.split()[-1] == "3"


def test_files_of_the_home_are_loaded_while_the_store_is_away(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sensors.file_arrival import file_arrival_sensor
    from social_assets.defs.ingestion.jobs.load_job import run_config

    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    look = file_arrival_sensor(contract(STREAM))
    job = Location.STREAMING.definitions().resolve_job_def("load_files")
    file = home.landing / STREAM / "local.ndjson"
    file.parent.mkdir(parents=True, exist_ok=True)
    with DagsterInstance.ephemeral() as instance:
        with pytest.raises(LakeStoreError, match="landing at s3://"):
            look(build_sensor_context(instance=instance))
        file.write_text(LIKE.format(id="of the home", value=1))
        long_ago = time.time() - 3600
        os.utime(file, (long_ago, long_ago))
        assert isinstance(look(build_sensor_context(instance=instance)), SensorResult)
        result = job.execute_in_process(
            instance=instance, run_config=run_config(STREAM), raise_on_error=False
        )
        assert not result.success
        [failed] = result.get_step_failure_events()
        assert "landing at s3://" in str(failed.step_failure_data.error)
        made = instance.get_latest_materialization_event(AssetKey(["cleaned", STREAM]))
    assert made is not None
    assert Landing(home.landing, STREAM).waiting() == []
