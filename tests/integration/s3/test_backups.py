"""Backups in a bucket: what they have, what a kill and a server that fails leave, who may write."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow.fs import FileSelector

from resources.settings.home import Home
from resources.settings.lake_root import LAKE_URL
from social_assets.contracts.registry import contracts
from social_assets.lake.delta import Applied
from social_assets.lake.lake import Lake
from social_assets.lake.storage.errors import LakeStoreError
from social_assets.lake.storage.file_system import storage_of
from social_assets.operate.disaster.backup import MadeBackup, make_backup
from social_assets.operate.disaster.backup_folder import opened_for_backup, opened_for_restore
from social_assets.operate.disaster.list_backups import list_backups
from social_assets.operate.disaster.manifest import BackupError
from social_assets.operate.disaster.places.bucket import BucketPlace
from social_assets.operate.disaster.places.lease import LOST_AFTER
from social_assets.operate.disaster.restore import restore
from tests.faulty_proxy import Fault, at_random, faulty_proxy
from tests.integration.operate.disaster import killed_backup
from tests.integration.operate.disaster.conftest import (
    Contents,
    UsedHome,
    contents,
    row,
    told,
    used,
)
from tests.s3_server import BUCKET, S3Server

__all__ = ["contents", "used"]  # fixtures of these tests

pytestmark = pytest.mark.s3


@pytest.fixture
def url(bucket: str, tmp_path: Path) -> str:
    return f"{bucket}/{tmp_path.name}/back ups"


def back_up(home: Home, url: str, keep: int | None = None) -> MadeBackup:
    return make_backup(home, url, told.append, keep=keep)


def objects(url: str) -> dict[str, str]:
    """The paths of all objects of a place, by their names."""
    storage = storage_of(url, {})
    found = storage.files.get_file_info(FileSelector(storage.path(""), recursive=True))
    return {each.base_name: each.path for each in found if each.is_file}


def test_a_restored_home_has_what_the_home_had(
    used: UsedHome, url: str, tmp_path: Path, contents: Contents
) -> None:
    before = contents(used.home)
    time.sleep(2.1)  # a change of any file would show in its time
    first = back_up(used.home, url)
    assert first.backup.copied_files == len(first.backup.files)
    assert back_up(used.home, url).backup.copied_files == 0
    copy = Home(tmp_path / "copy")
    assert "restored backup" in str(restore(copy, url, told.append))
    assert contents(copy) == {
        path: content for path, content in before.items() if "secret." not in path
    }
    assert not list((used.home.path / "spill").iterdir()), "nothing waits on this machine"


@pytest.mark.parametrize("moment", ["object 0", "object 5"])
def test_a_killed_backup_leaves_the_former_one_and_the_next_goes_on(
    used: UsedHome, url: str, s3: S3Server, tmp_path: Path, moment: str
) -> None:
    first = back_up(used.home, url).backup.id
    for number in range(3, 8):
        used.land(number)
    command = [sys.executable, killed_backup.__file__, str(used.home.path), url, moment]
    checkout = str(Path(killed_backup.__file__).parents[4])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": checkout}, check=False)
    assert done.returncode == -9
    assert [each.id for each in list_backups(url)] == [first]
    restored = Home(tmp_path / "former")
    with pytest.raises(BackupError, match=r"a backup is using .*/back ups .* minutes after"):
        back_up(used.home, url)
    age_signs_of_life(s3, url)
    restore(restored, url, told.append)
    assert UsedHome(restored, tmp_path).raw.applied_version("batch") == 2
    second = back_up(used.home, url).backup.id
    now = Home(tmp_path / "now")
    restore(now, url, told.append)
    assert UsedHome(now, tmp_path).raw.applied_version("batch") == 7
    assert [each.id for each in list_backups(url)] == [first, second]
    assert not [name for name in objects(url) if name.startswith(("backup-", "restore-"))]


def age_signs_of_life(s3: S3Server, url: str) -> None:
    """As if the processes that have written them were gone for long."""
    long_ago = time.time() - LOST_AFTER.total_seconds() - 5
    folder = s3.folder / BUCKET / url.partition(f"{BUCKET}/")[2] / "running"
    for sign in folder.iterdir():
        os.utime(sign, (long_ago, long_ago))


def test_one_backup_writes_and_restores_read_together(used: UsedHome, url: str) -> None:
    back_up(used.home, url)
    with opened_for_restore(url), opened_for_restore(url), pytest.raises(BackupError) as refused:
        back_up(used.home, url)
    assert "a restore is using" in str(refused.value)
    with opened_for_backup(url, used.home.path / "spill"):
        with pytest.raises(BackupError, match="a backup is using"):
            back_up(used.home, url)
        with pytest.raises(BackupError, match="a backup is using"), opened_for_restore(url):
            pass
    back_up(used.home, url)


def test_a_backup_without_a_sign_of_life_for_long_is_not_finished(used: UsedHome, url: str) -> None:
    """It may be that a process was suspended, and another one has taken the bucket since."""
    first = back_up(used.home, url).backup
    with opened_for_backup(url, used.home.path / "spill") as folder:
        assert isinstance(folder.place, BucketPlace) and folder.place.lease is not None
        folder.place.lease._renewed -= LOST_AFTER.total_seconds()
        with pytest.raises(BackupError, match="did not take a sign of life"):
            folder.write(replace(first, id="later"))
        with pytest.raises(BackupError, match="did not take a sign of life"):
            folder.remove({first.id})
    assert [each.id for each in list_backups(url)] == [first.id]


def test_older_backups_are_removed_with_what_only_they_have(used: UsedHome, url: str) -> None:
    (used.home.landing / "posts" / "old.csv").write_text("id\n9\n")
    first = back_up(used.home, url)
    only = next(each for each in first.backup.files if each.path.endswith("old.csv")).sha256
    assert only in objects(url)
    (used.home.landing / "posts" / "old.csv").unlink()
    second = back_up(used.home, url, keep=1)
    assert second.removed == [first.backup.id]
    assert only not in objects(url)
    assert [each.id for each in list_backups(url)] == [second.backup.id]


def test_a_server_that_refuses_now_and_then_delays_a_backup(
    used: UsedHome, url: str, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = at_random(0.1, 2026, Fault.REFUSED, Fault.CUT_BEFORE, Fault.CUT_AFTER)
    with faulty_proxy(s3.port, faults) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        back_up(used.home, url)
        restore(Home(tmp_path / "copy"), url, told.append)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.port}")
    assert proxy.given.total() > 0


def test_a_server_that_is_gone_is_told_with_the_remedy(
    used: UsedHome, url: str, s3: S3Server
) -> None:
    back_up(used.home, url)
    s3.kill()
    try:
        with pytest.raises(LakeStoreError, match=r"the backups in .* cannot be read or written"):
            back_up(used.home, url)
    finally:
        s3.start()
    assert len(list_backups(url)) == 1
    back_up(used.home, url)


def test_a_damaged_content_is_named_with_its_url(used: UsedHome, url: str, tmp_path: Path) -> None:
    made = back_up(used.home, url).backup
    sha256 = next(each.sha256 for each in made.files if each.path.endswith("a.csv"))
    with storage_of(url, {}).files.open_output_stream(objects(url)[sha256]) as stored:
        stored.write(b"id\n2\n")
    with pytest.raises(BackupError, match=rf"a\.csv .* is damaged: {url}/objects/.*{sha256}"):
        restore(Home(tmp_path / "copy"), url, told.append)


def test_a_lake_in_a_bucket_is_noted_and_must_not_be_older_at_the_restore(
    used: UsedHome, url: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"{bucket}/{tmp_path.name}/lake"
    monkeypatch.setenv(LAKE_URL, root)
    raw = Lake(root, locks=tmp_path / "locks").table("raw", next(iter(contracts())))
    raw.append(row(raw, 1), Applied("batch", 1, is_once=True))
    made = back_up(used.home, url)
    assert f"the lake {root} is not in it" in str(made)
    assert set(made.backup.tables) == {f"raw/{next(iter(contracts())).name}"}
    monkeypatch.setenv(LAKE_URL, f"{bucket}/{tmp_path.name}/replica")
    with pytest.raises(BackupError, match=r"replica is older .* it has no table, .* at version"):
        restore(Home(tmp_path / "copy"), url, told.append)
    monkeypatch.delenv(LAKE_URL)
    with pytest.raises(BackupError, match=f"set {LAKE_URL} to it, or to its replica"):
        restore(Home(tmp_path / "copy"), url, told.append)
    monkeypatch.setenv(LAKE_URL, root)
    raw.append(row(raw, 2), Applied("batch", 2, is_once=True))
    restored = Home(tmp_path / "copy")
    restore(restored, url, told.append)
    assert (restored.landing / "posts" / "a.csv").read_text() == "id\n1\n"
    assert not restored.lake.exists()


@pytest.mark.parametrize("command", ["backup --to", "backups --from"])
def test_an_absent_bucket_is_one_line_with_what_to_do(
    used: UsedHome, bucket: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from social_assets.cli.main import main

    with pytest.raises(SystemExit):
        main(["--home", str(used.home.path), *command.split(), "s3://absent-bucket/backups"])
    said = capsys.readouterr().err
    assert "s3://absent-bucket/backups" in said
    assert "Create the bucket, or correct the URL" in said
    assert "Traceback" not in said
