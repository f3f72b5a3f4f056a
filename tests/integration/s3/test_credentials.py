"""Credentials of S3 come from AWS's own chain; wrong ones are refused with what to check."""

from __future__ import annotations

from pathlib import Path

import pytest

from social_assets.contracts.registry import contract
from social_assets.lake.delta import Applied
from social_assets.lake.storage.errors import LakeStoreError
from tests.integration.lake.test_two_writers import rows
from tests.lake_of_tests import BUCKET_VARIABLE, lake_in
from tests.s3_server import ACCESS_KEY, SECRET_KEY

pytestmark = pytest.mark.s3

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def test_a_profile_of_the_shared_file_gives_the_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "credentials"
    shared.write_text(
        f"[lake]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    )
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    monkeypatch.setenv("AWS_PROFILE", "lake")
    table = lake_in(tmp_path).table("raw", contract("posts"))
    table.append(rows(table), Applied("batch-1", 1))
    assert table.read().num_rows == 1


def test_a_wrong_key_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret")
    with pytest.raises(LakeStoreError, match="SignatureDoesNotMatch") as raised:
        lake_in(tmp_path).table("raw", contract("posts")).files()
    assert "a-wrong-secret" not in str(raised.value)


def test_a_bucket_that_does_not_exist_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BUCKET_VARIABLE, "s3://absent-bucket")
    with pytest.raises(LakeStoreError, match=r"s3://absent-bucket/.*NoSuchBucket\. Create the"):
        lake_in(tmp_path).table("raw", contract("posts")).create()


def test_an_endpoint_without_tls_must_be_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(LakeStoreError, match="AWS_ALLOW_HTTP=true allows that"):
        lake_in(tmp_path).table("raw", contract("posts")).create()
