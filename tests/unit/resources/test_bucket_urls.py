"""The settings that name buckets: a URL without credentials, or nothing."""

from collections.abc import Callable

import pytest

from resources.settings.bucket_urls import ARTIFACTS_URL, LANDING_URL, artifacts_url, landing_url
from resources.settings.secret_urls import UrlSettingError

SETTINGS = [(ARTIFACTS_URL, artifacts_url), (LANDING_URL, landing_url)]


@pytest.mark.parametrize(("variable", "read"), SETTINGS)
def test_a_url_is_read_without_its_last_slash_and_nothing_is_nothing(
    variable: str, read: Callable[[], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable, raising=False)
    assert read() is None
    monkeypatch.setenv(variable, "s3://bucket/folder/")
    assert read() == "s3://bucket/folder"


@pytest.mark.parametrize(("variable", "read"), SETTINGS)
@pytest.mark.parametrize("url", ["/a/folder", "s3://key:secret@bucket/folder"])
def test_a_folder_and_a_url_with_credentials_are_refused_by_name(
    variable: str, read: Callable[[], str | None], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(UrlSettingError, match=variable) as told:
        read()
    assert "secret@" not in str(told.value)
