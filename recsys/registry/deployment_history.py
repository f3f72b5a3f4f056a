"""The deployment history: which published model serves, which ones served before, and roll back.

Belongs here: the pointer from the root folder to the model that serves, and its history.
Does not belong here: the decision which model serves (asset checks), and the artifact's format.

    <root>/current            name of the model that serves; its folder names the version
    <root>/deployments        one line `model/version` a deployment, oldest first
    <root>/<model>/...        the artifacts, as `artifact` writes them
"""

from dataclasses import dataclass
from pathlib import Path

from recsys.registry.artifact import CURRENT, MANIFEST, ArtifactError, promote
from recsys.registry.files import replace_text

_HISTORY = "deployments"
_HISTORY_OF_0_1 = "reigns"


@dataclass(frozen=True)
class DeployedVersion:
    """A version of a model that serves or served."""

    model: str
    version: str

    def __str__(self) -> str:
        return f"{self.model}/{self.version}"


def promote_model(folder: Path) -> None:
    """Make a published version the one that serves; readers get the old or the new version.

    Raises ArtifactError if the folder holds no artifact.
    """
    promote(folder)
    root = folder.parent.parent
    deployments = [*history(root), DeployedVersion(folder.parent.name, folder.name)]
    # The history is written first, so that a kill between the two writes loses no version.
    replace_text(root / _HISTORY, "".join(f"{deployment}\n" for deployment in deployments))
    replace_text(root / CURRENT, folder.parent.name + "\n")


def champion(root: Path) -> Path | None:
    """The folder of the version that serves, if there is one."""
    pointer = root / CURRENT
    if not pointer.exists():
        return None
    model = root / pointer.read_text().strip()
    return model / (model / CURRENT).read_text().strip()


def history(root: Path) -> list[DeployedVersion]:
    """All deployments, oldest first; a roll back is a deployment as well."""
    file = root / _HISTORY
    if not file.exists():
        file = root / _HISTORY_OF_0_1
    lines = file.read_text().splitlines() if file.exists() else []
    return [DeployedVersion(*line.split("/", 1)) for line in lines]


def roll_back(root: Path, to: str | None = None) -> Path:
    """Let an earlier version serve again: the version `to`, or the one before the current version.

    Deletes nothing, so that the same call can return to the newer version. Returns the folder.
    Raises ArtifactError if there is no such version.
    """
    present = champion(root)
    earlier = [past for past in history(root) if root / past.model / past.version != present]
    chosen = [past for past in earlier if to in (None, past.version)]
    if not chosen:
        known = ", ".join(dict.fromkeys(str(deployment) for deployment in earlier)) or "none"
        wanted = f"version {to}" if to else "earlier version"
        raise ArtifactError(f"{root} has no {wanted} to go back to; it has: {known}")
    folder = root / chosen[-1].model / chosen[-1].version
    if not (folder / MANIFEST).is_file():
        raise ArtifactError(f"{folder} is gone: choose another of {root / _HISTORY}")
    promote_model(folder)
    return folder
