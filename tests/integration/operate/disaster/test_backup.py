"""A backup of a home in use: what it has, what it costs the second time, what a kill leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from social_assets.lake.delta import Applied
from social_assets.lake.pinned.pinned_tables import pinned_tables
from social_assets.operate.disaster.backup import make_backup
from social_assets.operate.disaster.backup_folder import (
    BackupFolder,
    StoredContent,
    folder_of,
    opened_for_backup,
)
from social_assets.operate.disaster.list_backups import list_backups
from social_assets.operate.disaster.manifest import BackupError
from social_assets.operate.disaster.restore import restore
from tests.integration.operate.disaster.conftest import Contents, UsedHome, row, told
from tests.small_disk import MakeSmallDisk


def rest() -> None:
    """Wait until a change of any file would show in its time."""
    time.sleep(2.1)


def test_a_second_backup_copies_only_what_changed(used: UsedHome) -> None:
    rest()
    first = used.back_up().backup
    assert first.copied_files == len(first.files)
    second = used.back_up().backup
    assert second.copied_files == 0
    assert [each.sha256 for each in second.files] == [each.sha256 for each in first.files]
    used.land(3)
    (used.home.artifacts / "als" / "current").write_text("v2\n")
    third = used.back_up().backup
    changed = {each.path for each in third.files} - {each.path for each in second.files}
    assert len(changed) == 2, "a data file and a commit"
    assert third.copied_files == 3
    assert used.back_up().backup.copied_files == 3, "they might have changed within a tick"


def test_what_is_made_anew_and_the_secret_key_are_not_in_a_backup(used: UsedHome) -> None:
    made = used.back_up()
    paths = {each.path for each in made.backup.files}
    assert not [each for each in paths if each.startswith(("clickhouse", "locks"))]
    assert {"control/control.db", "dagster/history/runs/index.db", "landing/posts/a.csv"} <= paths
    assert not [each for each in paths if "secret" in each or each.endswith(("-wal", "-shm"))]
    assert made.backup.lacks_secret_key
    assert "keep a copy in another place" in str(made)
    key = (used.home.control / "secret.key").read_bytes()
    assert not [each for each in used.objects() if key.strip() in each.read_bytes()]
    whole = make_backup(used.home, str(used.target), told.append, with_secret_key=True).backup
    assert "control/secret.key" in {each.path for each in whole.files}
    assert not whole.lacks_secret_key


def test_all_files_of_a_backup_are_for_its_user_alone(used: UsedHome) -> None:
    before = os.umask(0o022)
    try:
        used.back_up()
    finally:
        os.umask(before)
    modes = {each.stat().st_mode & 0o777 for each in used.target.rglob("*") if each.is_file()}
    assert modes == {0o600}
    folders = [used.target, *(each for each in used.target.rglob("*") if each.is_dir())]
    assert {each.stat().st_mode & 0o777 for each in folders} == {0o700}


def test_the_versions_of_all_tables_are_of_one_instant(used: UsedHome) -> None:
    over = threading.Event()

    def write() -> None:
        number = 10
        while not over.is_set():
            used.land(number)
            used.cleaned.append(row(used.cleaned, number), Applied("batch", number))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        distances, raw, least_commits = set(), 0, 12
        while raw < least_commits:
            found = {each.name: each.version for each in pinned_tables(used.home.lake)}
            (raw,) = (version for name, version in found.items() if name.startswith("raw/"))
            (cleaned,) = (version for name, version in found.items() if name.startswith("clean"))
            distances.add(raw - cleaned)
    finally:
        over.set()
        writer.join()
    least = min(distances)
    assert distances <= {least, least + 1}, "raw is the same, or one commit later"


def test_a_backup_made_while_records_land_is_a_state_that_was(used: UsedHome) -> None:
    over = threading.Event()

    def write() -> None:
        number = 3
        while not over.is_set():
            used.land(number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [used.back_up().backup for _ in range(3)]
    finally:
        over.set()
        writer.join()
    for number, each in enumerate(made):
        copy = UsedHome(type(used.home)(used.home.path.parent / f"copy{number}"), used.target)
        restore(copy.home, str(used.target), told.append, id_=each.id)
        last = copy.raw.applied_version("batch")
        offsets = copy.raw.read()["offset"].to_pylist()
        assert last is not None
        assert sorted(offsets) == list(range(last + 1))


def test_what_lands_while_the_operational_store_is_copied_is_in_the_backup(
    used: UsedHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_database = BackupFolder.put_database

    def copy_and_land(folder: BackupFolder, file: Path) -> StoredContent:
        copied = copy_database(folder, file)
        if file.name == "control.db":
            used.land(3)
        return copied

    monkeypatch.setattr(BackupFolder, "put_database", copy_and_land)
    used.back_up()
    copy = UsedHome(type(used.home)(tmp_path / "copy"), used.target)
    restore(copy.home, str(used.target), told.append)
    assert copy.raw.applied_version("batch") == 3


@pytest.mark.parametrize("moment", ["object 0", "object 3", "flush", "manifest"])
def test_a_killed_backup_leaves_the_former_ones_and_the_next_completes(
    used: UsedHome, moment: str, contents: Contents
) -> None:
    first = used.back_up().backup.id
    before = contents(used.home)
    for number in range(3, 8):
        used.land(number)
    script = Path(__file__).with_name("killed_backup.py")
    command = [sys.executable, str(script), str(used.home.path), str(used.target), moment]
    checkout = str(script.parents[4])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": checkout}, check=False)
    assert done.returncode == -9
    assert [each.id for each in list_backups(str(used.target))] == [first]
    former = type(used.home)(used.home.path.parent / "former")
    restore(former, str(used.target), told.append)
    assert contents(former) == {
        path: content for path, content in before.items() if "secret." not in path
    }
    second = used.back_up().backup
    now = type(used.home)(used.home.path.parent / "now")
    restore(now, str(used.target), told.append)
    assert UsedHome(now, used.target).raw.applied_version("batch") == 7
    assert not list((used.target / "unfinished").iterdir())
    assert [each.id for each in list_backups(str(used.target))] == [first, second.id]


def test_a_full_disk_is_named_and_leaves_the_former_backup(
    used: UsedHome, small_disk: MakeSmallDisk, capsys: pytest.CaptureFixture[str]
) -> None:
    from social_assets.cli.main import main

    disk = small_disk(8, at=used.target)
    used.back_up()
    (used.home.landing / "posts" / "large.csv").write_bytes(os.urandom(3_000_000))
    disk.fill(leave_bytes=1_000_000)
    command = ["--home", str(used.home.path), "backup", "--to", str(used.target)]
    with pytest.raises(SystemExit) as ending:
        main(command)
    said = capsys.readouterr().err
    assert ending.value.code == 1
    assert str(used.target) in said
    assert "make room and give the same command again" in said
    assert len(list_backups(str(used.target))) == 1
    disk.make_room()
    with pytest.raises(SystemExit) as ending:
        main([*command, "--format", "json"])
    assert ending.value.code == 0
    assert json.loads(capsys.readouterr().out)["files"] > 0
    assert len(list_backups(str(used.target))) == 2


def test_older_backups_are_removed_with_what_only_they_have(used: UsedHome) -> None:
    (used.home.landing / "posts" / "old.csv").write_text("id\n9\n")
    ids = [used.back_up().backup.id]
    (used.home.landing / "posts" / "old.csv").unlink()
    ids += [used.back_up().backup.id for _ in range(2)]
    assert [each for each in used.objects() if each.read_bytes() == b"id\n9\n"]
    made = used.back_up(keep=2)
    assert made.removed == ids[:2]
    assert [each.id for each in list_backups(str(used.target))] == [ids[2], made.backup.id]
    assert not [each for each in used.objects() if each.read_bytes() == b"id\n9\n"]
    copy = type(used.home)(used.home.path.parent / "copy")
    restore(copy, str(used.target), told.append, id_=ids[2])


def test_two_backups_into_one_folder_at_once_are_refused(used: UsedHome) -> None:
    with (
        opened_for_backup(str(used.target), used.home.path / "spill"),
        pytest.raises(BackupError, match=r"another backup into .* is running"),
    ):
        used.back_up()


def test_a_folder_that_cannot_hold_backups_is_refused(used: UsedHome, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="lie in one another"):
        make_backup(used.home, str(used.home.path / "backups"), told.append)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(BackupError, match=r"has no backups .* name what"):
        make_backup(used.home, str(tmp_path / "other"), told.append)
    with pytest.raises(BackupError, match="ftp://; name a folder"):
        make_backup(used.home, "ftp://user:password@host/x", told.append)
    assert [each.name for each in (tmp_path / "other").iterdir()] == ["file"]
    assert folder_of("file:///a%20b/c") == Path("/a b/c")


def test_a_lake_that_lacks_a_file_makes_no_backup(used: UsedHome) -> None:
    file = Path(used.raw.files()[0])
    file.unlink()
    with pytest.raises(BackupError, match=r"lacks a file that one of its tables names: .*parquet"):
        used.back_up()
    file.write_bytes(b"short")
    with pytest.raises(BackupError, match=r"has 5 bytes, and its table's log says \d+"):
        used.back_up()
    assert list_backups(str(used.target)) == []
