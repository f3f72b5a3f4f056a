"""The resource finds its server by the environment and never shows the password."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resources.clickhouse.resource import (
    ClickHouseAddressError,
    ClickHouseResource,
    ClickHouseUnreachableError,
    endpoint_of_url,
)

SOURCES = Path(__file__).resolve().parents[3]
PASSWORD = "pä:ss/w@rd"


@pytest.mark.parametrize(
    ("url", "address", "user", "password"),
    [
        ("http://u:p%C3%A4%3Ass%2Fw%40rd@ch:8123", "http://ch:8123", "u", PASSWORD),
        ("https://u:p@ch", "https://ch:8443", "u", "p"),
        ("http://ch:1", "http://ch:1", "default", ""),
        ("http://u@[::1]:8123/", "http://[::1]:8123", "u", ""),
    ],
)
def test_an_address_is_split_into_endpoint_and_credentials(url, address, user, password) -> None:
    endpoint = endpoint_of_url(url)
    assert (endpoint.url, endpoint.user, endpoint.password) == (address, user, password)


@pytest.mark.parametrize("url", ["ch:8123", "tcp://u:secret@ch:9000", "http://", "/x"])
def test_another_kind_of_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ClickHouseAddressError, match="SOCIAL_ASSETS_CLICKHOUSE_URL") as refused:
        endpoint_of_url(url)
    assert "secret" not in str(refused.value)


def test_the_password_is_in_no_text_of_endpoint_and_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_URL", "http://u:secret@127.0.0.1:1")
    resource = ClickHouseResource()
    assert resource.endpoint().password == "secret"
    assert "secret" not in f"{resource.endpoint()!r} {resource!r} {resource.model_dump()}"


def test_an_unreachable_server_is_named_with_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_CLICKHOUSE_URL", "http://u:secret@127.0.0.1:1")
    with (
        pytest.raises(ClickHouseUnreachableError, match="SOCIAL_ASSETS_CLICKHOUSE_URL") as refused,
        ClickHouseResource().client(),
    ):
        pass
    assert "http://127.0.0.1:1" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("resources.settings.home", "dagster resources.embedded_clickhouse json"),
        (
            "resources.embedded_clickhouse.lifecycle",
            "dagster clickhouse_connect chdb uvicorn starlette lz4 pyarrow",
        ),
        ("resources.clickhouse.resource", "clickhouse_connect chdb uvicorn pyarrow"),
    ],
)
def test_importing_costs_little(module: str, heavy: str) -> None:
    program = f"import sys, {module}; print(*(set({heavy.split()}) & set(sys.modules)))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=SOURCES, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
