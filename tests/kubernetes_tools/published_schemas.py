"""Fetches what Kubernetes and Compose publish of their own formats, into the folder that is given.

`python -m tests.kubernetes_tools.published_schemas .kubernetes`. The files are in Go modules, whose
hashes are below. Belongs here: only fetching; `manifests` beside it makes schemas of them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

KUBERNETES = "1.34.1"


@dataclass(frozen=True)
class Published:
    """A file of a Go module."""

    module: str
    hash: str
    path: str
    name: str


FILES = (
    Published(
        f"k8s.io/kubernetes@v{KUBERNETES}",
        "h1:F3p8dtpv+i8zQoebZeK5zBqM1g9x1aIdnA5vthvcuUk=",
        "api/openapi-spec/swagger.json",
        "swagger.json",
    ),
    Published(
        "github.com/compose-spec/compose-go/v2@v2.4.9",
        "h1:2K4TDw+1ba2idiR6empXHKRXvWYpnvAKoNQy93/sSOs=",
        "schema/compose-spec.json",
        "compose-spec.json",
    ),
)


def fetch(each: Published, folder: Path) -> None:
    """Copy the file. Raises ValueError if the module is another one than was pinned."""
    printed = subprocess.run(
        ["go", "mod", "download", "-json", each.module],
        check=True,
        capture_output=True,
        cwd=folder,  # no module of its own, whose requirements would count
    ).stdout
    found = json.loads(printed)
    if found["Sum"] != each.hash:
        raise ValueError(f"{each.module} has the hash {found['Sum']}, and not {each.hash}")
    shutil.copyfile(Path(found["Dir"]) / each.path, folder / each.name)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(exist_ok=True)
    for published in FILES:
        fetch(published, target)
