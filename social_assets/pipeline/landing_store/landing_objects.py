"""The objects of a stream below SOCIAL_ASSETS_LANDING_URL, copied into its landing folder.

Belongs here: which objects wait, and copying each whole. The copies are loaded as all files of
landing are. Nothing in the store is written, moved or deleted: it belongs to its producers.

An object waits if its key has a size, time or ETag that was not copied yet. A replaced object is a
new file: its records with known keys are duplicates, as with a second file in the folder.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from resources.settings.bucket_urls import LANDING_URL, landing_url
from social_assets.lake.storage.errors import LakeStoreError, store_errors
from social_assets.lake.storage.file_system import (
    Storage,
    copy_whole,
    delta_options,
    files_below,
    storage_of,
)
from social_assets.pipeline.files.landing_folder import FAILED, LOADED, Landing
from social_assets.pipeline.files.unfinished_files import is_unfinished
from social_assets.pipeline.landing_store.taken_objects import (
    ObjectVersion,
    TakenObjects,
    TakenVersion,
)

MOST_BYTES = 4 << 30
"""How much one load copies; more waits for the next one. One object is copied whatever its size."""
SURE_AFTER_NS = 60 * 1_000_000_000
"""A store's times have whole seconds, and clocks differ: an object that was copied within this time
of its own is known by its ETag."""
_PART = ".object-"
_PART_SECONDS = 24 * 3600


@dataclass(frozen=True)
class LandingObjects:
    """The objects below `<url>/<stream>/`."""

    url: str
    storage: Storage
    landing: Landing

    @classmethod
    def of(cls, landing: Landing) -> Self | None:
        """The objects of a stream; None if no store is set."""
        if (root := landing_url()) is None:
            return None
        url = f"{root}/{landing.stream}"
        with store_errors(f"landing at {url}", LANDING_URL):
            return cls(url, storage_of(url, delta_options(root)), landing)

    @property
    def taken(self) -> TakenObjects:
        """The record of what was copied."""
        return TakenObjects(self.landing.folder)

    def listed(self) -> list[ObjectVersion]:
        """All objects to load, ordered by key: neither unfinished ones, nor those in `loaded/` and
        `failed/`, which a copy of a home's folder has. A listing that ends early is an error.
        """
        with store_errors(f"landing at {self.url}", LANDING_URL):
            found = files_below(self.storage.files, self.storage.root, recursive=True)
        before = f"{self.storage.root}/" if self.storage.root else ""
        versions = (
            ObjectVersion(each.path.removeprefix(before), each.size, each.mtime_ns)
            for each in found
            if each.is_file
        )
        return sorted((v for v in versions if _is_to_load(v.key)), key=lambda v: v.key)

    def waiting(self) -> list[ObjectVersion]:
        """The objects that were not copied as they are now."""
        taken = self.taken.all()
        return [each for each in self.listed() if not self._is_known(each, taken.get(each.key))]

    def fetch(self) -> list[Path]:
        """Copy what waits into the landing folder; returns the copies, each whole.

        Killed at any moment, the next call copies what is not recorded, perhaps once more. An
        object that is replaced or deleted meanwhile is left for the next call.
        """
        copied: list[Path] = []
        size = 0
        self.landing.folder.mkdir(parents=True, exist_ok=True)
        self._delete_unfinished()
        for each in self.waiting():
            if copied and size + each.size > MOST_BYTES:
                break
            if (place := self._copied(each)) is not None:
                copied.append(place)
                size += each.size
        return copied

    def still_there(self, versions: Iterable[TakenVersion]) -> list[str]:
        """The URLs of those objects that are still what was copied."""
        now = {each.key: each for each in self.listed()}
        there = (each.version.key for each in versions if now.get(each.version.key) == each.version)
        return [f"{self.url}/{key}" for key in there]

    def _delete_unfinished(self) -> None:
        """Delete what killed processes have left; another process may be at a newer one."""
        for part in self.landing.folder.glob(f"{_PART}*"):
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _PART_SECONDS:
                    part.unlink()

    def _is_known(self, seen: ObjectVersion, taken: TakenVersion | None) -> bool:
        if taken is None or taken.version != seen:
            return False
        return taken.taken_ns - seen.mtime_ns > SURE_AFTER_NS or taken.etag == self._etag(seen)

    def _etag(self, seen: ObjectVersion) -> str | None:
        """The ETag of an object now; None if it is gone."""
        with store_errors(f"{self.url}/{seen.key}", LANDING_URL):
            try:
                with self.storage.files.open_input_file(self.storage.path(seen.key)) as file:
                    return _etag_in(file.metadata())
            except FileNotFoundError:
                return None

    def _copied(self, seen: ObjectVersion) -> Path | None:
        path = self.storage.path(seen.key)
        part = self.landing.folder / f"{_PART}{uuid.uuid4().hex}"
        try:
            with store_errors(f"{self.url}/{seen.key}", LANDING_URL):
                # Copied in several requests: the object must be the same before and after.
                before = self._etag(seen)
                try:
                    copy_whole(self.storage.files, path, part)
                except FileNotFoundError:
                    return None
                info = self.storage.files.get_file_info(path)
            now = ObjectVersion(seen.key, info.size, info.mtime_ns)
            is_whole = part.stat().st_size == seen.size
            if before is None or now != seen or not is_whole or self._etag(seen) != before:
                return None
            place = _linked(part, self.landing.folder, seen.key)
            self.taken.add(TakenVersion(seen, before, place.name, time.time_ns()))
            return place
        finally:
            part.unlink(missing_ok=True)


def fetch_objects(landing: Landing) -> list[Path]:
    """Copy the objects that wait for a stream, if a store is set; returns the copies."""
    objects = LandingObjects.of(landing)
    return [] if objects is None else objects.fetch()


@dataclass(frozen=True)
class Fetched:
    """The copies that a load takes, and why the store gave no more of them."""

    copies: list[Path]
    failure: LakeStoreError | None = None


def fetch_what_answers(landing: Landing) -> Fetched:
    """Copy the objects that wait. A store that is away keeps no file of the home waiting: its error
    is returned, to be raised when those are loaded.
    """
    try:
        return Fetched(fetch_objects(landing))
    except LakeStoreError as error:
        return Fetched([], error)


def waiting_objects(landing: Landing) -> int:
    """How many objects wait for a stream."""
    objects = LandingObjects.of(landing)
    return 0 if objects is None else len(objects.waiting())


def _is_to_load(key: str) -> bool:
    parts = key.split("/")
    return parts[0] not in (LOADED, FAILED) and not any(map(is_unfinished, parts))


def _etag_in(metadata: Mapping[str | bytes, str | bytes]) -> str:
    return str({str(name).lower(): value for name, value in metadata.items()}.get("etag", ""))


def _linked(part: Path, folder: Path, key: str) -> Path:
    """Give a copy its name, without replacing another file; folders of the key are in the name."""
    name = Path(key.replace("/", "__"))
    place, number = folder / name, 1
    while True:
        try:
            os.link(part, place)
        except FileExistsError:
            number += 1
            place = folder / f"{name.stem}.{number}{name.suffix}"
        else:
            return place
