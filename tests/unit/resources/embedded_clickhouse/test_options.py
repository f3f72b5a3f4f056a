"""Options come from the environment; the error of an invalid one names the valid values."""

from __future__ import annotations

import pytest

from resources.embedded_clickhouse.options import OptionError, Options, loopback_address


def test_the_defaults_suit_a_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "IDLE_SECONDS", "MEMORY_BYTES", "THREADS", "MAX_QUERIES"):
        monkeypatch.delenv(f"SOCIAL_ASSETS_CLICKHOUSE_{name}", raising=False)
    monkeypatch.delenv("SOCIAL_ASSETS_DISK_RESERVE_BYTES", raising=False)
    assert Options.from_environment() == Options(0, 1800, 2 * 1024**3, 2, 32, 1024**3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOCIAL_ASSETS_CLICKHOUSE_PORT", "65536"),
        ("SOCIAL_ASSETS_CLICKHOUSE_PORT", "http"),
        ("SOCIAL_ASSETS_CLICKHOUSE_IDLE_SECONDS", "-1"),
        ("SOCIAL_ASSETS_CLICKHOUSE_MEMORY_BYTES", "1000"),
        ("SOCIAL_ASSETS_CLICKHOUSE_THREADS", "0"),
        ("SOCIAL_ASSETS_DISK_RESERVE_BYTES", "1 GiB"),
    ],
)
def test_an_unusable_option_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(OptionError, match=f"{name}='{value}'"):
        Options.from_environment()


@pytest.mark.parametrize(
    ("host", "address"),
    [("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1")],
)
def test_loopback_is_allowed(host: str, address: str) -> None:
    assert loopback_address(host) == address
