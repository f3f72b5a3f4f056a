"""The published scorer of a model: an immutable folder a version, and a pointer to the current one.

Belongs here: the format, its manifest, writing it. NumPy and pyarrow only, because a consumer
imports the format too. Does not belong here: reading models back to recommend (`consumer`).

    <root>/<model>/current              name of the version that consumers get
    <root>/<model>/<version>/manifest.json, manifest.json.sha256
                            /<scoring>.npz  the arrays of the model's scorer
                            /users.parquet, items.parquet    ids, sorted; row i is index i
                            /seen.npz       indptr int64, indices int32, weights float32: the
                                            items of each user (CSR), weighted as the model counts;
                                            times int64 if the model reads their order
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recsys.registry.files import TIMES, ids_bytes, new_folder, npz_bytes, replace_text

if TYPE_CHECKING:
    from recsys.matrix import InteractionMatrix
    from recsys.recommender import ScorerRecommender

FORMAT = "social-assets/recommender"
FORMAT_VERSION = 2
USERS, ITEMS, SEEN = "users.parquet", "items.parquet", "seen.npz"
SEEN_ARRAYS: Mapping[str, type] = {
    "indptr": np.int64,
    "indices": np.int32,
    "weights": np.float32,
}
MANIFEST, MANIFEST_CHECKSUM, CURRENT = "manifest.json", "manifest.json.sha256", "current"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class ArtifactError(ValueError):
    """An artifact cannot be written or must not be used; the text has the file and the remedy."""


@dataclass(frozen=True)
class FileEntry:
    """The entry of a file in the manifest."""

    sha256: str
    bytes: int


def publish(
    model: "ScorerRecommender",
    matrix: "InteractionMatrix",
    root: Path,
    *,
    version: str,
    metrics: Mapping[str, float],
    data_window: tuple[datetime, datetime],
    watermarks: Mapping[str, Any],
    code_version: str,
    created_at: datetime | None = None,
    make_current: bool = True,
) -> Path:
    """Write `<root>/<model name>/<version>` and, unless told otherwise, point `current` at it.

    `model` must be fitted on `matrix`, whose interactions become the seen items and the popularity
    list of the consumer. `data_window` is [start, end) of the events learned from; `watermarks`
    (anything JSON) says how far each source was read. The folder appears whole and on disk, or not
    at all, and never changes. Returns it.

    Raises FileExistsError if the version exists, ArtifactError for a name that is no plain file
    name or a model that does not fit the matrix.
    """
    folder = root / _plain(model.name) / _plain(version)
    contents = _contents(model, matrix)
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": model.name,
        "version": version,
        "scoring": model.scorer.scoring,
        "settings": model.scorer.settings(),
        "parameters": dict(model.parameters),
        "weight_exponent": model.weight_exponent,
        # JSON has no NaN: a metric that could not be computed is null.
        "metrics": {k: v if math.isfinite(v) else None for k, v in metrics.items()},
        "data_window": [instant.isoformat() for instant in data_window],
        "watermarks": dict(watermarks),
        "code_version": code_version,
        "created_at": (created_at or datetime.now(UTC)).isoformat(),
        "users": len(matrix.users),
        "items": len(matrix.items),
        "files": {name: asdict(entry_of(content)) for name, content in contents.items()},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    contents[MANIFEST] = text.encode()
    contents[MANIFEST_CHECKSUM] = checksum_line(contents[MANIFEST])
    with new_folder(folder) as place:
        for name, content in contents.items():
            (place / name).write_bytes(content)
    if make_current:
        promote(folder)
    return folder


def promote(folder: Path) -> None:
    """Make a published version the current one of its model; rolling back is the same call.

    Raises ArtifactError if the folder holds no artifact.
    """
    if not (folder / MANIFEST).is_file():
        raise ArtifactError(f"{folder} has no {MANIFEST}: publish that version first")
    replace_text(folder.parent / CURRENT, folder.name + "\n")


def entry_of(content: bytes) -> FileEntry:
    """The manifest's entry for a file of this content."""
    return FileEntry(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def checksum_line(manifest: bytes) -> bytes:
    """Content of the manifest's checksum file, as `sha256sum --check` reads it."""
    return f"{entry_of(manifest).sha256}  {MANIFEST}\n".encode()


def is_plain_name(name: str) -> bool:
    """Whether a model or version name is a plain file name that stays in its folder."""
    return _NAME.fullmatch(name) is not None and name != CURRENT


def _plain(name: str) -> str:
    if not is_plain_name(name):
        raise ArtifactError(
            f"{name!r} cannot name a model or version: use letters, digits, '.', '_' and '-',"
            f" and not '{CURRENT}'"
        )
    return name


def arrays_file(scoring: str) -> str:
    """The file that holds the arrays of a scorer."""
    return f"{scoring}.npz"


def _contents(model: "ScorerRecommender", matrix: "InteractionMatrix") -> dict[str, bytes]:
    scorer, seen = model.scorer, model.histories(matrix.csr, matrix.times)
    users, items = matrix.csr.shape
    if not scorer.fits(users, items):
        found = ", ".join(f"{name} {list(array.shape)}" for name, array in scorer.arrays().items())
        raise ArtifactError(
            f"{model.name} is fitted on another matrix than this of {users} users x {items} items"
            f" (it has {found}): publish with the matrix it learned"
        )
    lists: dict[str, NDArray[Any]] = {
        "indptr": seen.lists.indptr,
        "indices": seen.lists.indices,
        "weights": seen.weights,
        **({} if seen.times is None else {TIMES: seen.times}),
    }
    return {
        arrays_file(scorer.scoring): npz_bytes(scorer.arrays()),
        USERS: ids_bytes(matrix.users),
        ITEMS: ids_bytes(matrix.items),
        SEEN: npz_bytes(lists),
    }
