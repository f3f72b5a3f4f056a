"""The lakes of these tests are in a bucket of the S3 server; the warehouse is embedded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from tests.lake_of_tests import BUCKET_VARIABLE, FOLDER_VARIABLE
from tests.s3_server import BUCKET, S3Server


@pytest.fixture(autouse=True)
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the bucket, which the environment names with its credentials."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    url = f"s3://{BUCKET}"
    monkeypatch.setenv(BUCKET_VARIABLE, url)
    monkeypatch.setenv(FOLDER_VARIABLE, str(s3.folder))
    return url


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseResource]:
    home = Home(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(ENVIRONMENT_VARIABLE, str(home.path))
        environment.delenv(URL_VARIABLE, raising=False)
        yield ClickHouseResource()
        stop(home)
