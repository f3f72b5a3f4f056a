"""Where the recommenders keep their files, under `artifacts/` of the home.

Here belongs the layout and the choice of names. What is in a folder belongs to its writer.

    interaction_matrix/<version>/    what models learn from and are evaluated by
    candidates/<model>/<version>/    how a model did
    champion/<model>/<version>/      the published artifacts, as `recsys.publish` writes them;
                                     `champion/current` names the model that serves

Each of the lists of versions has a file `current`, which names one. A version bears the id of the
run that wrote it, so that two runs never meet in a folder.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from resources.settings.home import Home
from social_assets.recommend.errors import RecommendError

KEPT_VERSIONS = 3
"""How many versions of matrix and candidates are kept: a running run may read an older one."""

_MATRIX = "recsys/interaction_matrix"
_CURRENT = "current"  # as in a model's folder, where recsys writes it


@dataclass(frozen=True)
class Versions:
    """Versions as folders that are written once, and the current one. `written_by` is an asset."""

    root: Path
    written_by: str

    def folder(self, version: str) -> Path:
        """The folder of a version, existing or not."""
        return self.root / version

    def current(self) -> Path | None:
        """The folder of the current version, if there is one yet."""
        pointer = self.root / _CURRENT
        return self.root / pointer.read_text().strip() if pointer.exists() else None

    def required(self) -> Path:
        """The folder of the current version.

        Raises a RecommendError that names the asset to materialize if there is none.
        """
        folder = self.current()
        if folder is None:
            raise RecommendError(
                f"nothing has been written to {self.root} yet: materialize {self.written_by} first",
            )
        return folder

    def make_current(self, version: str) -> None:
        """Make this version the current one, and delete all but the newest few."""
        from recsys.registry.files import replace_text

        replace_text(self.root / _CURRENT, version + "\n")
        folders = [p for p in self.root.iterdir() if p.is_dir() and p.name != version]
        by_age = sorted(folders, key=lambda p: p.stat().st_mtime, reverse=True)
        for folder in by_age[KEPT_VERSIONS - 1 :]:
            shutil.rmtree(folder, ignore_errors=True)


def matrices() -> Versions:
    """The interaction matrices."""
    return Versions(Home.from_environment().artifacts / "interaction_matrix", _MATRIX)


def candidates(model: str) -> Versions:
    """The evaluations of a model, one folder a run."""
    return Versions(Home.from_environment().artifacts / "candidates" / model, f"recsys/{model}")


def champions_root() -> Path:
    """The root folder of `recsys.publish` and of `recsys.registry.deployment_history`.

    Versions are never deleted: a roll back needs them.
    """
    return Home.from_environment().artifacts / "champion"


def champions_in_force(*, unless_away: bool = False) -> Path:
    """That folder, with the models that are published now: see `lake.artifacts.home_copy`.

    `unless_away`: while the store does not answer, with those that the home has copied before.
    """
    from social_assets.lake.artifacts.home_copy import fetch, fetch_unless_away

    (fetch_unless_away if unless_away else fetch)(champions_root())
    return champions_root()


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
