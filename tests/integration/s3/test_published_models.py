"""Published models in a bucket: other homes get them whole, whatever happens to who publishes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow.fs import FileSelector

import recsys
from recsys.registry.deployment_history import champion, history, promote_model, roll_back
from resources.machine.ports import free_port
from resources.settings.bucket_urls import ARTIFACTS_URL
from resources.settings.home import ENVIRONMENT_VARIABLE
from social_assets.control.privacy.person import Person
from social_assets.lake.artifacts.home_copy import fetch, publishing
from social_assets.lake.artifacts.publications import ArtifactStoreError
from social_assets.lake.storage.errors import LakeStoreError
from social_assets.lake.storage.file_system import storage_of
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.recommend.candidates import champion_manifest, required_champion
from social_assets.recommend.forgotten import delete_superseded
from tests.faulty_proxy import Fault, Request, at_random, faulty_proxy
from tests.s3_server import BUCKET, S3Server

pytestmark = pytest.mark.s3

DAY = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def store(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"{bucket}/{tmp_path.name}"
    monkeypatch.setenv(ARTIFACTS_URL, url)
    return url


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return tmp_path / "ours" / "artifacts" / "champion"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return tmp_path / "theirs" / "artifacts" / "champion"


def publish(root: Path, version: str, user: str = "ada") -> None:
    rows = pa.table({"user_id": [user, "bob"], "item_id": ["x", "y"], "weight": [1.0, 1.0]})
    matrix = recsys.InteractionMatrix.from_table(rows)
    with publishing(root):
        promote_model(
            recsys.publish(
                recsys.Popularity().fit(matrix.csr),
                matrix,
                root,
                version=version,
                metrics={},
                data_window=(DAY, DAY),
                watermarks={},
                code_version="",
                make_current=False,
            )
        )


def served(root: Path) -> str | None:
    """The version that a home serves, loaded with all hashes checked."""
    fetch(root)
    found = champion(root)
    return None if found is None else recsys.load(found).manifest["version"]


def contents(s3: S3Server, of: Path) -> bytes:
    """All that the bucket has below the store of a test."""
    folder = s3.folder / BUCKET / of.name
    return b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())


def test_what_one_home_publishes_and_rolls_back_is_served_by_another(
    ours: Path, theirs: Path
) -> None:
    assert served(theirs) is None
    publish(ours, "v1")
    assert served(theirs) == "v1"
    publish(theirs, "v2")
    assert served(ours) == "v2"
    with publishing(ours):
        roll_back(ours)
    assert served(theirs) == "v1"
    assert [each.version for each in history(theirs)] == ["v1", "v2", "v1"]


def test_a_server_uses_its_copy_while_the_store_is_away_and_a_run_does_not(
    ours: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publish(ours, "v1")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(theirs.parents[1]))
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
        with pytest.raises(LakeStoreError):
            required_champion(unless_away=True)  # nothing was copied yet
    assert served(theirs) == "v1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    assert required_champion(unless_away=True) == theirs / "popularity" / "v1"
    assert "is used as it was copied" in caplog.text
    with pytest.raises(LakeStoreError):
        required_champion()
    (theirs / ".publication").write_text("unfinished\n")
    with pytest.raises(LakeStoreError):
        required_champion(unless_away=True)


def test_the_recommenders_of_a_new_home_find_the_champion(
    ours: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(ours, "v1")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(theirs.parents[1]))
    manifest = champion_manifest()
    assert manifest is not None
    assert manifest["version"] == "v1"
    assert required_champion() == theirs / "popularity" / "v1"
    told = subprocess.run(
        [sys.executable, "-m", "social_assets", "recsys", "champions"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert told.stdout == "popularity/v1  serves\n"


PUBLISH = """
import sys
from pathlib import Path
from tests.integration.s3.test_published_models import publish
publish(Path(sys.argv[1]), sys.argv[2])
"""


def test_whoever_is_killed_at_any_write_has_published_all_or_nothing(
    s3: S3Server, ours: Path, theirs: Path
) -> None:
    publish(ours, "v0")
    undone = 0
    for fault in (Fault.HELD_BEFORE, Fault.HELD_AFTER):
        number, is_done = 0, False
        while not is_done:
            version, before = f"{fault.name}-{number}", served(theirs)
            writes = iter(range(1000))

            def held(request: Request, *, to: int = number, fault: Fault = fault) -> Fault | None:
                # `writes` is that of this round, which the proxy ends with.
                return fault if request.method == "PUT" and next(writes) == to else None  # noqa: B023

            with faulty_proxy(s3.port, held) as proxy:
                process = subprocess.Popen(
                    [sys.executable, "-c", PUBLISH, ours, version],
                    env={**os.environ, **s3.environment(proxy.port)},
                )
                while not proxy.is_held.wait(0.05) and process.poll() is None:
                    pass
                is_done = process.poll() is not None
                process.send_signal(signal.SIGKILL)
                process.wait()
            now = served(theirs)
            assert now in (before, version)
            assert served(ours) == now, "the publisher's own copy agrees with the store"
            assert now == version or not is_done
            undone += now == before
            number += 1
        assert number >= 5, "each file, and the commit"
    assert undone >= 5
    publish(ours, "last")
    assert served(theirs) == "last"


def test_refused_and_cut_requests_disturb_nothing(
    s3: S3Server, ours: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = at_random(0.1, 2026, Fault.REFUSED, Fault.CUT_BEFORE, Fault.CUT_AFTER)
    with faulty_proxy(s3.port, faults) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        for number in range(5):
            publish(ours, f"v{number}")
            assert served(theirs) == f"v{number}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")
    assert proxy.given.total() >= 5
    assert [each.version for each in history(theirs)] == [f"v{number}" for number in range(5)]


def test_of_two_homes_that_publish_at_once_one_is_told_to_begin_again(
    ours: Path, theirs: Path
) -> None:
    publish(ours, "v1")
    fetch(theirs)
    with pytest.raises(ArtifactStoreError, match="another home has published"), publishing(ours):
        publish(theirs, "v2")
        (ours / "popularity" / "current").write_text("v9\n")
    assert served(ours) == "v2"
    publish(ours, "v3")
    assert served(theirs) == "v3"


def test_a_version_that_is_deleted_for_a_person_leaves_the_bucket_and_other_homes(
    s3: S3Server, ours: Path, theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = "person-to-forget-7341"
    publish(ours, "v1", user=person)
    publish(ours, "v2")
    assert served(theirs) == "v2"
    files = [each for each in theirs.rglob("users.parquet") if person.encode() in each.read_bytes()]
    assert files, "the other home has the version, to roll back to"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(ours.parents[1]))
    assert delete_superseded(PersonIds(frozenset({Person(person)}))) == 1
    assert person.encode() not in contents(s3, tmp_path)
    assert served(theirs) == "v2"
    assert not (theirs / "popularity" / "v1").exists()


def test_a_home_with_models_of_its_own_is_not_emptied(
    ours: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.delenv(ARTIFACTS_URL)
    publish(theirs, "own")
    monkeypatch.setenv(ARTIFACTS_URL, store)
    publish(ours, "v1")
    with pytest.raises(ArtifactStoreError, match="has models of its own"):
        fetch(theirs)
    assert (theirs / "popularity" / "own").is_dir()


def test_a_changed_object_is_named_with_what_to_do(
    store: str, ours: Path, theirs: Path, tmp_path: Path
) -> None:
    publish(ours, "v1")
    files = storage_of(store, {}).files
    below = FileSelector(f"{BUCKET}/{tmp_path.name}/champion/objects", recursive=True)
    for each in files.get_file_info(below):
        if each.is_file:
            with files.open_output_stream(each.path) as stream:
                stream.write(b"?" * each.size)
    with pytest.raises(ArtifactStoreError, match=r"objects/.* is not what was published: delete"):
        fetch(theirs)
    assert champion(theirs) is None


def test_an_absent_bucket_names_the_setting(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ARTIFACTS_URL, "s3://absent-bucket/models")
    with pytest.raises(LakeStoreError, match=f"NoSuchBucket.*correct {ARTIFACTS_URL}"):
        publish(ours, "v1")
