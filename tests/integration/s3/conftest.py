"""The lakes of these tests are in a bucket of the S3 server; the warehouse is embedded."""

from __future__ import annotations

import pytest

from tests.integration.pipeline.conftest import clickhouse
from tests.lake_of_tests import BUCKET_VARIABLE, FOLDER_VARIABLE
from tests.s3_server import BUCKET, S3Server

__all__ = ["clickhouse"]  # a fixture of these tests


@pytest.fixture(autouse=True)
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the bucket, which the environment names with its credentials."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    url = f"s3://{BUCKET}"
    monkeypatch.setenv(BUCKET_VARIABLE, url)
    monkeypatch.setenv(FOLDER_VARIABLE, str(s3.folder))
    return url
