"""The copy that a home has of published models, if SOCIAL_ASSETS_ARTIFACTS_URL names a store.

Belongs here: bringing the copy to what is in force, and publishing what the home has changed. The
store decides: what a killed process has changed in the copy and not published is undone. Without a
store, the folder of the home is all there is, and nothing here does anything.

    <folder>/<model>/<version>/...   immutable; appears whole or not at all
    <folder>/current, ...            small files that name versions; replaced after the versions
    <folder>/.publication            the publication that the copy has
"""

from __future__ import annotations

import fcntl
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from recsys.registry.artifact import FileEntry, entry_of
from recsys.registry.files import new_folder, replace_text
from resources.settings.bucket_urls import ARTIFACTS_URL, artifacts_url
from social_assets.lake.artifacts.publications import (
    ArtifactStoreError,
    Publication,
    Publications,
)
from social_assets.lake.storage.errors import LakeStoreError

_log = logging.getLogger(__name__)

_MARK = ".publication"
_UNFINISHED = "unfinished\n"
_VERSION_PARTS = 3
"""A file of a version is <model>/<version>/<file>; what has fewer parts names versions."""


def fetch(folder: Path) -> None:
    """Bring a folder of published models, such as `artifacts/champion`, to what is in force.

    Downloads only what the home lacks. Raises ArtifactStoreError and LakeStoreError.
    """
    if (url := artifacts_url()) is not None:
        with _lock(folder):
            _fetched(folder, Publications.of(url, folder.name))


def fetch_unless_away(folder: Path) -> None:
    """As `fetch`, for who can tell that the copy is the version that is needed.

    While the store does not answer, a whole copy stays in use, and a warning says so.
    """
    try:
        fetch(folder)
    except LakeStoreError as error:
        mark = folder / _MARK
        if not mark.exists() or mark.read_text() == _UNFINISHED:
            raise
        _log.warning("%s is used as it was copied: %s", folder, error)


@contextmanager
def publishing(folder: Path) -> Iterator[None]:
    """Publish what the block changes in a folder of published models, in one commit.

    The block begins with what is in force, and must not call `fetch`. If it fails, or the store
    does, the next `fetch` undoes its changes.
    """
    url = artifacts_url()
    if url is None:
        yield
        return
    with _lock(folder):
        publications = Publications.of(url, folder.name)
        before = _fetched(folder, publications)
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder / _MARK, _UNFINISHED)
        yield
        files = _files(folder)
        made = before if _is_same(files, before) else publications.publish(files, before)
        if made is None:
            (folder / _MARK).unlink()
        else:
            replace_text(folder / _MARK, _mark(publications, made))


def _fetched(folder: Path, publications: Publications) -> Publication | None:
    while True:
        newest = publications.newest()
        if newest is None:
            return None  # what the home has is published with the next change
        mark = folder / _MARK
        known = mark.read_text() if mark.exists() else None
        if known == _mark(publications, newest):
            return newest
        if known is None and _files(folder):
            raise ArtifactStoreError(
                f"{folder} has models of its own, and {publications.url} has others: move the"
                f" folder away to use those, or correct {ARTIFACTS_URL}"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            replace_text(mark, _UNFINISHED)
            _bring(folder, newest, publications)
        except FileNotFoundError as error:
            if publications.newest() == newest:
                raise ArtifactStoreError(
                    f"{error} is gone, which the models in force at {publications.url} need: copy"
                    " it from a version of the bucket, or publish from a home that has them"
                ) from error
            continue  # a later publication has dropped the file
        replace_text(mark, _mark(publications, newest))
        return newest


def _bring(folder: Path, newest: Publication, publications: Publications) -> None:
    versions: dict[Path, dict[str, FileEntry]] = {}
    names: dict[str, FileEntry] = {}
    for path, entry in newest.files.items():
        parts = path.split("/", _VERSION_PARTS - 1)
        if len(parts) == _VERSION_PARTS:
            versions.setdefault(Path(*parts[:2]), {})[parts[2]] = entry
        else:
            names[path] = entry
    for version, files in versions.items():
        if not _has(folder / version, files):
            contents = {
                name: publications.read(f"{version}/{name}", entry) for name, entry in files.items()
            }
            _replace(folder / version, contents)
    # The model's own name of its version comes before the name of the model that serves.
    for path in sorted(names, key=lambda path: (-path.count("/"), path == "current")):
        replace_text(folder / path, publications.read(path, names[path]).decode())
    for path, file in _files(folder).items():
        if path not in newest.files and path.count("/") < _VERSION_PARTS - 1:
            file.unlink()
    for version in folder.glob("*/*"):
        is_part = version.is_dir() and not version.name.startswith(".")
        if is_part and version.relative_to(folder) not in versions:
            shutil.rmtree(version)


def _is_same(files: Mapping[str, Path], before: Publication | None) -> bool:
    if before is None:
        return not files
    return {path: entry_of(file.read_bytes()) for path, file in files.items()} == before.files


def _has(folder: Path, files: Mapping[str, FileEntry]) -> bool:
    return all(
        (folder / name).is_file() and entry_of((folder / name).read_bytes()) == entry
        for name, entry in files.items()
    )


def _replace(folder: Path, contents: Mapping[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with new_folder(folder) as place:
        for name, content in contents.items():
            (place / name).write_bytes(content)


def _files(folder: Path) -> dict[str, Path]:
    """The files that are published; not what is unfinished, whose names begin with a dot."""
    found = {}
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        if file.is_file() and not any(part.startswith(".") for part in path.parts):
            found[path.as_posix()] = file
    return found


def _mark(publications: Publications, publication: Publication) -> str:
    return f"{publications.url} {publication.number} {publication.identity}\n"


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One process of the machine at a time, and one thread."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
