"""Where the lakes of tests are: in folders, or on the S3 server (`make test-s3-pipeline`).

The same tests hold for both, so that an object store is no special case.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from social_assets.lake.lake import Lake

BUCKET_VARIABLE = "LAKES_OF_TESTS"
"""Environment variable: the URL of a bucket, such as s3://bucket; `tests/s3_server.py` sets it."""
FOLDER_VARIABLE = "FOLDER_OF_LAKES"
"""Environment variable: the folder in which the server keeps its buckets."""


def lake_root_in(folder: Path) -> str:
    """The root of the lake that belongs to a folder."""
    bucket = os.environ.get(BUCKET_VARIABLE)
    if not bucket:
        return str(folder / "lake")
    return f"{bucket}/{hashlib.sha256(bytes(folder)).hexdigest()[:16]}"


def lake_in(folder: Path, locks: str = "locks") -> Lake:
    """The lake that belongs to a folder, whose locks are in it."""
    return Lake(lake_root_in(folder), folder / locks)


def folder_of(uri: str) -> Path:
    """The folder with the files of a lake or table, wherever it is."""
    _, is_url, path = uri.partition("://")
    return Path(os.environ[FOLDER_VARIABLE], path) if is_url else Path(uri)
