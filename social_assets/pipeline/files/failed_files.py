"""Files of a stream that could not be loaded: recorded by a load, and listed for alerts.

Belongs here: which failures are recorded, and which files in `failed/` count beside them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from social_assets.ingest.records import FileChangedError, FileError, shown_path
from social_assets.lake.failed_files import FailedFile
from social_assets.pipeline.files.landing_folder import Landing
from social_assets.pipeline.stores import StreamStores

_NUMBER = re.compile(r"\.\d+(?=\.[^.]*$)|\.\d+$")
"""The number that `Landing` adds to a name that exists."""


def record_failures(
    stores: StreamStores, failures: Sequence[FileError], loaded: Collection[str]
) -> None:
    """Record the files that failed, and end the failures of the names that are loaded now."""
    failed = [
        FailedFile(_name(each.path), shown_path(each.path), str(each), stores.run_id)
        for each in failures
        if not isinstance(each, FileChangedError)
    ]
    stores.failed_files.record(failed, loaded)


def unresolved_failures(stores: StreamStores, landing: Landing) -> list[FailedFile]:
    """The recorded failures that are not resolved, and unrecorded files in `failed/`."""
    known = stores.failed_files.names()
    others = {_name(p): p for p in landing.failed()}
    return [
        *stores.failed_files.unresolved(),
        *(
            FailedFile(name, shown_path(path), "the log of the run that tried it says why", "")
            for name, path in others.items()
            if not known.intersection((name, _NUMBER.sub("", name)))
        ),
    ]


def _name(path: Path) -> str:
    return shown_path(Path(path.name))
