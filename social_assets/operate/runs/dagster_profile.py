"""The `dagster.yaml` of a home: copied if missing, replaced if outdated, or else examined.

Belongs here: comparing a home's file with the current one. A file with the text of an earlier
release was not edited, so it is replaced. An edited one belongs to the user: it is not changed, and
`missing_settings` names what it lacks, which the doctor shows.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from resources.settings.home import Home

FILE = "dagster.yaml"

_PACKAGE = Path(__file__).resolve().parents[2]
_PLACES = (_PACKAGE / FILE, _PACKAGE.parent / "docker" / FILE)
"""The current file, as a wheel installs it, and in the checkout."""

RELEASED = (
    "1da8f37ba2c40578a7f904dd52c98de8ebc3f8f0064fef4ed0ed31cee8a0cc8e",
    "78074ddfef658a76c4115b2989978c3d8c4df380f9f89981590b19c4fc9e29b4",
    "3a486b1b2ae1e221765bfa3c266931f3adda164eb39ae4a6b297f4ad822ddd65",
    "7a0a63bd08c3c3d5f6b9b7a2d4c80ebf270639eb012610de68b7b025d4b40d0e",
    "20339564558ded9c950b39d6634627f8904d0f80ad9b9bcc01bc10ca85a396fe",
    "33d6ae06052c215e9cb145252bd71be2d5508dc3838875360cfb8c1c25396e07",
    "b1bfa12d83b768d739b6d533385c8254a1d7e7731b6ff7da16f0f31dcff47eee",
    "966f45ccef2652b45624ec3a7fce34ce80f498e3c9fec8e270a74b86a3590966",
    "462bbdd1f6be3e1c14a92ac3c64764debb94c8e1b0a75b7dec2a942bc184d278",
)
"""SHA-256 of each released text, oldest first; the last one is that of the current file."""


MOVED_MODULES = {
    f"resources.{name}": f"resources.dagster.{name}"
    for name in (
        "docker_launcher",
        "event_log",
        "kubernetes_launcher",
        "local_launcher",
        "postgres_storage",
    )
}
"""Modules that a `dagster.yaml` names, by the name that they had up to release 0.1."""


def current_profile() -> Path:
    """The file that this release ships."""
    return next(place for place in _PLACES if place.exists())


def profile_of(home: Home) -> Path:
    """The file that Dagster reads in a home."""
    return home.dagster / FILE


def update_profile(home: Home) -> None:
    """Give the home the current file. An edited one gets the new names of our modules only."""
    if not profile_of(home).exists() or is_outdated(home):
        _replace(profile_of(home), current_profile().read_bytes())
        return
    own = profile_of(home).read_text()
    renamed = _MODULE.sub(lambda found: found[1] + MOVED_MODULES[found[2]], own)
    if renamed != own:
        _replace(profile_of(home), renamed.encode())


def is_outdated(home: Home) -> bool:
    """Whether the home's file is that of an earlier release, unedited."""
    return _version(profile_of(home).read_bytes()) in RELEASED[:-1]


def is_edited(home: Home) -> bool:
    """Whether the home's file is not the text of any release."""
    return _version(profile_of(home).read_bytes()) not in RELEASED


def missing_settings(home: Home) -> list[str]:
    """Settings of the current file that the home's file does not have, as `a.b.c`."""
    own = yaml.safe_load(profile_of(home).read_text()) or {}
    return list(_missing(yaml.safe_load(current_profile().read_text()), own, ""))


_MODULE = re.compile(
    rf"^(\s*module:\s*)({'|'.join(map(re.escape, MOVED_MODULES))})\s*$", re.MULTILINE
)


def _missing(wanted: Mapping[str, object], own: Mapping[str, object], prefix: str) -> Iterator[str]:
    if "class" in wanted and own.get("class") != wanted["class"]:
        # The user's own component has its own settings.
        return
    for name, value in wanted.items():
        if name not in own:
            yield prefix + name
            continue
        theirs = own[name]
        if isinstance(value, dict) and isinstance(theirs, dict):
            yield from _missing(value, theirs, f"{prefix}{name}.")


def _version(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _replace(profile: Path, text: bytes) -> None:
    """Replace the file. Several processes may do so at once: each reads the old or the new file."""
    handle, name = tempfile.mkstemp(dir=profile.parent, prefix=FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    Path(name).replace(profile)
