"""Trained text models on disk: versions, the challenger, and the champion that scores.

Belongs here: format and layout, under `artifacts/text` of the home. Which model is promoted is
decided in `champion`. Arrays are read without pickle, and only if their hashes are right.

    <root>/linear/<version>/manifest.json, manifest.json.sha256, arrays.npz
    <root>/challenger         the version that was trained last, as `linear/<version>`
    <root>/current, deployments, linear/current
                              the champion and its history, as `recsys.registry` writes them

A version is the hash of its arrays: the same texts and labels give the same version.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.registry.artifact import (
    CURRENT,
    MANIFEST,
    MANIFEST_CHECKSUM,
    ArtifactError,
    FileEntry,
    checksum_line,
    entry_of,
)
from recsys.registry.deployment_history import DeployedVersion, champion, history, promote_model
from recsys.registry.files import new_folder, npz_bytes, parse_npz, replace_text
from resources.settings.home import Home
from social_assets.transform.text.models.linear import ARRAYS, LinearTextModel
from social_assets.transform.text.models.model import TextModel

FORMAT = "social-assets/text-model"
FORMAT_VERSION = 1
KEPT_VERSIONS = 3
"""How many versions are kept beside those that have scored, with the newest one."""
_ARRAYS, _CHALLENGER = "arrays.npz", "challenger"
_DIGITS = 16
_REMEDY = (
    "copy it again from a backup, or let the lexicon score (`social-assets text rollback --to"
    " lexicon`) and materialize text/challenger and text/champion"
)


@dataclass(frozen=True)
class PublishedModel:
    """A model that was read from disk, with what its manifest records."""

    model: LinearTextModel
    folder: Path
    manifest: Mapping[str, Any]


def models_root(home: Home | None = None) -> Path:
    """Where a home keeps its text models; default the home of the environment."""
    return (home or Home.from_environment()).artifacts / "text"


def models_in_force(home: Home | None = None) -> Path:
    """That folder, with the models that are published now: see `lake.artifacts.home_copy`."""
    from social_assets.lake.artifacts.home_copy import fetch

    fetch(models_root(home))
    return models_root(home)


def publish(root: Path, model: LinearTextModel, record: Mapping[str, Any]) -> PublishedModel:
    """Write a model as the challenger; it does not score before it is promoted.

    The folder appears whole or not at all. A model that is there already is not written again,
    unless its files are damaged: its first record stays. Versions that never scored are deleted,
    but for the newest.
    """
    content = npz_bytes(model.arrays())
    entry = entry_of(content)
    folder = root / model.name / entry.sha256[:_DIGITS]
    if not _is_whole(folder):
        shutil.rmtree(folder, ignore_errors=True)
        _write(folder, content, model.name, record)
    replace_text(root / _CHALLENGER, f"{model.name}/{folder.name}\n")
    _delete_unused(root, folder)
    return read(folder)


def withdraw_challenger(root: Path) -> None:
    """Have no challenger, because there are too few labels to train or to compare one."""
    (root / _CHALLENGER).unlink(missing_ok=True)


def challenger(root: Path) -> PublishedModel | None:
    """The model that was trained last, if there is one. Raises ArtifactError if it is damaged."""
    pointer = root / _CHALLENGER
    return read(root / pointer.read_text().strip()) if pointer.exists() else None


def promoted(root: Path) -> PublishedModel | None:
    """The model that scores; None if none was promoted, so that the lexicon scores.

    Raises ArtifactError if its files are damaged.
    """
    folder = champion(root)
    return None if folder is None else read(folder)


def scoring_model(root: Path) -> TextModel:
    """The model that scores texts: the champion, or the lexicon before there is one.

    Raises ArtifactError if the champion's files are damaged.
    """
    from social_assets.transform.text.models.lexicon import lexicon_model

    found = promoted(root)
    return lexicon_model() if found is None else found.model


def promote(published: PublishedModel) -> None:
    """Let a published model score. Readers get the old or the new one."""
    promote_model(published.folder)


def let_lexicon_score(root: Path) -> None:
    """Have no champion, as before the first promotion. Deletes no model, and keeps the history."""
    (root / CURRENT).unlink(missing_ok=True)


def read(folder: Path) -> PublishedModel:
    """A published model. Raises ArtifactError if a file is missing or not as it was written."""
    try:
        text, checksum = ((folder / name).read_bytes() for name in (MANIFEST, MANIFEST_CHECKSUM))
        content = (folder / _ARRAYS).read_bytes()
    except FileNotFoundError as error:
        raise ArtifactError(f"{error.filename} is missing: {_REMEDY}") from error
    if checksum_line(text) != checksum:
        raise ArtifactError(f"{folder / MANIFEST} was altered: {_REMEDY}")
    manifest = json.loads(text)
    if (manifest["format"], manifest["format_version"]) != (FORMAT, FORMAT_VERSION):
        raise ArtifactError(
            f"{folder / MANIFEST} has format {manifest['format']} {manifest['format_version']};"
            f" this release reads {FORMAT} {FORMAT_VERSION}: use the release that wrote it, or"
            " train again"
        )
    if entry_of(content) != FileEntry(**manifest["files"][_ARRAYS]):
        raise ArtifactError(f"{folder / _ARRAYS} is not what was written: {_REMEDY}")
    arrays = parse_npz(content, str(folder / _ARRAYS), ARRAYS)
    return PublishedModel(LinearTextModel.of_arrays(folder.name, arrays), folder, manifest)


def _is_whole(folder: Path) -> bool:
    try:
        read(folder)
    except ArtifactError:
        return False
    return True


def _write(folder: Path, content: bytes, name: str, record: Mapping[str, Any]) -> None:
    manifest = {
        **record,
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": name,
        "version": folder.name,
        "created_at": datetime.now(UTC).isoformat(),
        "files": {_ARRAYS: asdict(entry_of(content))},
    }
    text = json.dumps(manifest, indent=2, allow_nan=False).encode() + b"\n"
    with new_folder(folder) as place:
        (place / _ARRAYS).write_bytes(content)
        (place / MANIFEST).write_bytes(text)
        (place / MANIFEST_CHECKSUM).write_bytes(checksum_line(text))


def _delete_unused(root: Path, newest: Path) -> None:
    used = {*history(root), DeployedVersion(newest.parent.name, newest.name)}
    folders = [
        folder
        for folder in root.glob("*/*")
        if folder.is_dir()
        and not folder.name.startswith(".")
        and DeployedVersion(folder.parent.name, folder.name) not in used
    ]
    by_age = sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in by_age[KEPT_VERSIONS - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)
