"""A restore gives the home of the backup, verified, or says which file is damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resources.settings.home import Home
from social_assets.cli.main import main
from social_assets.control.engine import open_engine
from social_assets.control.secrets.encrypted_secrets import EncryptedSecrets
from social_assets.operate.disaster import restore as restoring
from social_assets.operate.disaster.list_backups import list_backups
from social_assets.operate.disaster.manifest import BackupError
from social_assets.operate.disaster.restore import restore
from tests.integration.operate.disaster.conftest import Contents, UsedHome, told


@pytest.fixture
def new(tmp_path: Path) -> Home:
    """The home on the new machine."""
    return Home(tmp_path / "new ho me% ü")


def test_a_restored_home_is_as_it_was(used: UsedHome, new: Home, contents: Contents) -> None:
    used.back_up()
    done = restore(new, str(used.target), told.append)
    before = contents(used.home)
    assert contents(new) == {path: each for path, each in before.items() if "secret." not in path}
    files = [each for each in new.path.rglob("*") if each.is_file()]
    assert {each.stat().st_mode & 0o077 for each in (new.path, *files)} == {0}
    assert "next: social-assets rebuild-warehouse" in str(done)
    assert "put your copy there" in str(done)
    # With the key from another place, the store can be read.
    (new.control / "secret.key").write_bytes((used.home.control / "secret.key").read_bytes())
    engine = open_engine(new)
    assert EncryptedSecrets(engine, new).get("token").value == "of-a-platform"
    engine.dispose()
    copy = UsedHome(new, used.target)
    assert copy.raw.applied_version("batch") == 2
    copy.land(3)
    assert copy.raw.read().num_rows == 4


def test_an_older_backup_is_restored_by_its_id(used: UsedHome, new: Home) -> None:
    first = used.back_up().backup.id
    used.land(3)
    used.back_up()
    restore(new, used.target.as_uri(), told.append, id_=first)
    assert UsedHome(new, used.target).raw.applied_version("batch") == 2
    with pytest.raises(BackupError, match="has no backup 'x'"):
        restore(Home(new.path.parent / "other"), str(used.target), told.append, id_="x")


def test_a_home_that_is_not_empty_is_refused(used: UsedHome, contents: Contents) -> None:
    used.back_up()
    before = contents(used.home)
    with pytest.raises(BackupError, match=r"is not empty: it has artifacts, .* move that folder"):
        restore(used.home, str(used.target), told.append)
    assert contents(used.home) == before


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_damaged_content_is_named_and_nothing_is_restored(
    used: UsedHome, new: Home, how: str
) -> None:
    first = used.back_up().backup
    used.land(3)
    second = used.back_up().backup
    added = {each.sha256: each for each in second.files}.keys() - {
        each.sha256 for each in first.files
    }
    (file,) = (f for f in second.files if f.sha256 in added and f.path.endswith(".parquet"))
    place = used.target / "objects" / file.sha256[:2] / file.sha256
    if how == "missing":
        place.unlink()
    else:
        content = bytearray(place.read_bytes())
        content[len(content) // 2] ^= 1
        place.write_bytes(content)
    with pytest.raises(BackupError) as refusal:
        restore(new, str(used.target), told.append)
    for said in (f"{file.path} of the backup {second.id} is {how}", str(place), first.id):
        assert said in str(refusal.value)
    assert not list(new.path.iterdir())
    restore(new, str(used.target), told.append, id_=first.id)
    # The home still lives: without the damaged content, the next backup copies it again.
    place.unlink(missing_ok=True)
    used.back_up()
    restore(Home(new.path.parent / "whole"), str(used.target), told.append)


def test_a_damaged_manifest_is_named(used: UsedHome, new: Home) -> None:
    first = used.back_up().backup.id
    second = used.back_up().backup.id
    file = used.target / "backups" / second
    file.write_text(file.read_text().replace("raw/", "row/", 1))
    assert [each.row[:2] for each in list_backups(str(used.target))] == [
        (first, "complete"),
        (second, "damaged"),
    ]
    with pytest.raises(BackupError, match=f"the manifest .*{second} is damaged"):
        restore(new, str(used.target), told.append)
    with pytest.raises(BackupError, match=f"the manifest .*{second} is damaged"):
        used.back_up(keep=1)
    assert first in [each.id for each in list_backups(str(used.target))]


def interrupt_copying(patch: pytest.MonkeyPatch) -> None:
    """Once all files are verified."""
    patch.setattr(restoring.os, "sync", _interrupt)


def interrupt_moving(patch: pytest.MonkeyPatch) -> None:
    """Once two parts are in their places."""
    rename, count = Path.rename, iter(range(1000))

    def rename_some(path: Path, target: Path) -> Path:
        if path.parent.name == "files" and next(count) == 2:
            _interrupt()
        return rename(path, target)

    patch.setattr(Path, "rename", rename_some)


@pytest.mark.parametrize("interrupted", [interrupt_copying, interrupt_moving])
def test_a_restore_that_is_interrupted_is_completed_by_the_same_command(
    used: UsedHome,
    new: Home,
    interrupted: Callable[[pytest.MonkeyPatch], None],
    contents: Contents,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = used.back_up().backup.id
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupted(patch)
        restore(new, str(used.target), told.append)
    for command in ("status", "dev"):
        with pytest.raises(SystemExit) as ending:
            main(["--home", str(new.path), command])
        assert ending.value.code == 1
        assert "a restore into it is unfinished" in capsys.readouterr().err
    later = used.back_up().backup.id
    with pytest.raises(BackupError, match="has an unfinished restore of the backup"):
        restore(new, str(used.target), told.append, id_=later)
    restore(new, str(used.target), told.append, id_=first)
    before = contents(used.home)
    assert contents(new) == {path: each for path, each in before.items() if "secret." not in path}


def _interrupt() -> None:
    raise KeyboardInterrupt
