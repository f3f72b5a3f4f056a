"""Pictures in a bucket: whole files by hash, archived and deleted."""

from __future__ import annotations

import hashlib

import pytest

from social_assets.lake.media.media_files import MediaFiles
from tests.s3_server import BUCKET

pytestmark = pytest.mark.s3

BODY = b"GIF89a" + bytes(100)


def test_a_picture_is_stored_once_read_archived_and_deleted() -> None:
    files = MediaFiles.at(f"s3://{BUCKET}/media")
    assert list(files.list()) == []
    sha256 = hashlib.sha256(BODY).hexdigest()
    assert files.put(BODY, "gif") == files.put(BODY, "gif") == sha256
    (kept,) = files.list()
    assert (kept.area, kept.name, kept.size_bytes) == ("kept", f"{sha256}.gif", len(BODY))
    files.archive(kept)
    (archived,) = files.list()
    assert archived.area == "archive"
    assert files.read("archive", archived.name) == BODY
    files.delete(archived)
    assert list(files.list()) == []
