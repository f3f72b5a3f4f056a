"""Which published model serves, which ones did before, and the way back.

Belongs here: the pointer from the folder of all models to the one that serves, and its history.
Does not belong here: who deserves to (the graph's checks decide), and what an artifact is.

    <root>/current            name of the model that serves; its folder says which version
    <root>/reigns             `model/version` a line, oldest first; the last one serves
    <root>/<model>/...        as `artifact` writes them
"""

from dataclasses import dataclass
from pathlib import Path

from recsys.artifact import CURRENT, MANIFEST, ArtifactError, promote
from recsys.files import replace_text

_REIGNS = "reigns"


@dataclass(frozen=True)
class Reign:
    """A version of a model that serves or served."""

    model: str
    version: str

    def __str__(self) -> str:
        return f"{self.model}/{self.version}"


def crown(folder: Path) -> None:
    """Let a published version serve. Whoever loads `<root>` gets the one before or this one.

    Raises ArtifactError if the folder holds no artifact.
    """
    promote(folder)
    root = folder.parent.parent
    reigns = [*history(root), Reign(folder.parent.name, folder.name)]
    # The history first: after a kill between the two the way back is still known.
    replace_text(root / _REIGNS, "".join(f"{reign}\n" for reign in reigns))
    replace_text(root / CURRENT, folder.parent.name + "\n")


def champion(root: Path) -> Path | None:
    """The folder of the version that serves, if there is one."""
    pointer = root / CURRENT
    if not pointer.exists():
        return None
    model = root / pointer.read_text().strip()
    return model / (model / CURRENT).read_text().strip()


def history(root: Path) -> list[Reign]:
    """All reigns, oldest first; a version that was gone back to stands there again."""
    file = root / _REIGNS
    lines = file.read_text().splitlines() if file.exists() else []
    return [Reign(*line.split("/", 1)) for line in lines]


def roll_back(root: Path, to: str | None = None) -> Path:
    """Let an earlier version serve again: `to` (a version), or the one before the present one.

    Nothing is deleted, so going forward again is the same command with the other version. Returns
    the folder. Raises ArtifactError where there is no such version.
    """
    present = champion(root)
    earlier = [reign for reign in history(root) if root / reign.model / reign.version != present]
    chosen = [reign for reign in earlier if to in (None, reign.version)]
    if not chosen:
        known = ", ".join(dict.fromkeys(str(reign) for reign in earlier)) or "none"
        wanted = f"version {to}" if to else "earlier version"
        raise ArtifactError(f"{root} has no {wanted} to go back to; it has: {known}")
    folder = root / chosen[-1].model / chosen[-1].version
    if not (folder / MANIFEST).is_file():
        raise ArtifactError(f"{folder} is gone: choose another of {root / _REIGNS}")
    crown(folder)
    return folder
