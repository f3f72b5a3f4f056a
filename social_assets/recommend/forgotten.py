"""Artifacts that know persons who are forgotten: superseded versions are deleted, current ones
must be made anew.

Belongs here: which folders of artifacts are versions. Finding an id in a file belongs to
`pipeline.privacy`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from recsys.registry.deployment_history import champion
from resources.settings.home import Home
from social_assets.lake.artifacts.home_copy import publishing
from social_assets.pipeline.privacy.home_files import has_id
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.recommend.folders import Versions, champions_root, matrices

_USERS = "users.parquet"


def delete_superseded(persons: PersonIds) -> int:
    """Delete the versions that know the persons and are not in use; returns how many.

    A roll back to such a version is no longer possible. The store of published models, if there is
    one, loses their files as well.
    """
    deleted = 0
    with publishing(champions_root()):
        for folder in _knowing(persons):
            if folder not in _in_use():
                shutil.rmtree(folder)
                deleted += 1
    return deleted


def in_use_that_know(persons: PersonIds) -> list[Path]:
    """The versions in use that know the persons: they must be trained anew."""
    return [folder for folder in _knowing(persons) if folder in _in_use()]


def _knowing(persons: PersonIds) -> Iterator[Path]:
    for folder in _versions():
        files = [each for each in folder.rglob("*") if each.is_file()]
        if any(
            has_id(each, persons.anywhere if each.name == _USERS else persons.distinct)
            for each in files
        ):
            yield folder


def _versions() -> list[Path]:
    """Every folder of a version, of matrices, candidates and champions."""
    artifacts = Home.from_environment().artifacts
    parents = [
        artifacts / "interaction_matrix",
        *(artifacts / "candidates").glob("*"),
        *champions_root().glob("*"),
    ]
    return sorted(
        version
        for parent in parents
        if parent.is_dir()
        for version in parent.iterdir()
        if version.is_dir()
    )


def _in_use() -> set[Path]:
    artifacts = Home.from_environment().artifacts
    candidates = [Versions(each, "") for each in (artifacts / "candidates").glob("*")]
    current = [each.current() for each in (matrices(), *candidates)]
    return {folder for folder in (*current, champion(champions_root())) if folder is not None}
