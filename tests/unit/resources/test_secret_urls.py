"""The error of a malformed URL names the variable and shows no part of the URL."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from resources.clickhouse.resource import endpoint_of_url
from resources.kafka.settings import KafkaSettings, KafkaSettingsError
from resources.settings import variables as settings
from resources.settings.environments import EnvironmentSettingsError
from resources.settings.secret_urls import check_lake_url, check_postgres_url
from social_assets.alerts.channels import AlertUrlError, Routing

SPECIAL = "/#?[]@: \\%\n"
SECRETS = [f"hunter{character}2xyzzy" for character in SPECIAL] + ["1234/2xyzzy", "#2xyzzy"]


def refused(read: Callable[[], object]) -> str:
    """The text of the error and of its causes."""
    try:
        read()
    except (EnvironmentSettingsError, AlertUrlError, KafkaSettingsError) as error:
        lines = traceback.format_exception(error)
        assert len(str(error).splitlines()) == 1
        assert error.__cause__ is None
        assert error.__context__ is None or error.__suppress_context__
        return "".join(line for line in lines if not line.lstrip().startswith("File"))
    return ""


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("start", ["http://user:", "https://", "user:", "http:/user:", "http//"])
def test_a_clickhouse_url_is_read_whole_or_refused_without_its_password(
    secret: str, start: str
) -> None:
    said = refused(lambda: endpoint_of_url(f"{start}{secret}@host:8123"))
    if said:
        assert "SOCIAL_ASSETS_CLICKHOUSE_URL" in said
        assert "%2F" in said
        assert not [part for part in ("hunter", "xyzzy", "1234") if part in said]
    else:
        endpoint = endpoint_of_url(f"{start}{secret}@host:8123")
        assert secret in (endpoint.password, endpoint.user, f"{endpoint.user}:{endpoint.password}")
        assert endpoint.url in ("http://host:8123", "https://host:8123")


@pytest.mark.parametrize("rest", ["/db", "/?database=db", "#x", "/db/"])
def test_a_database_in_the_url_is_refused_and_not_passed_over(rest: str) -> None:
    said = refused(lambda: endpoint_of_url(f"http://user:hunter2@host:8123{rest}"))
    assert "leave out what follows the port" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("secret", SECRETS)
def test_a_postgres_url_is_read_whole_or_refused_without_its_password(secret: str) -> None:
    said = refused(
        lambda: check_postgres_url("VARIABLE", f"postgresql://user:{secret}@host:5432/dagster")
    )
    assert "VARIABLE" in said or secret in ("hunter:2xyzzy", "hunter%2xyzzy", "hunter\\2xyzzy")
    assert not [part for part in ("hunter", "xyzzy") if part in said]


@pytest.mark.parametrize(
    "root",
    [*(f"s3://key:{secret}@bucket/lake" for secret in SECRETS), "key:hunter2@bucket", "s3:/hunter"],
)
def test_a_lake_url_with_credentials_is_refused_without_them(root: str) -> None:
    said = refused(lambda: check_lake_url("VARIABLE", root))
    assert "AWS_SECRET_ACCESS_KEY" in said
    assert "hunter" not in said


@pytest.mark.parametrize(
    "root",
    ["/data/lake", "lake", "s3://bucket/lake", "s3://bucket/a@b", "file:///x", "/data/a:b@c",
     "abfss://container@account.dfs.core.windows.net/lake", "s3://bucket:9000/lake"],
)  # fmt: skip
def test_a_lake_without_credentials_is_taken(root: str) -> None:
    check_lake_url("VARIABLE", root)


@pytest.mark.parametrize("secret", ["hunter/2", "hunter#2", "hunter?2", "/hunter"])
def test_an_alert_channel_with_an_unescaped_password_is_refused(secret: str) -> None:
    said = refused(
        lambda: Routing.from_environment(
            {"SOCIAL_ASSETS_ALERT_URLS": f"mailto://user:{secret}@host.example"}
        )
    )
    assert "SOCIAL_ASSETS_ALERT_URLS" in said
    assert "%2F" in said
    assert "hunter" not in said


@pytest.mark.parametrize(
    "url",
    ["slack://a/b/c", "tgram://123456:ABC-def/@channel/", "json://u:p@host:80/x?y=z",
     "mailto://u:p%2Fw@host", "tgram://1:A/123"],
)  # fmt: skip
def test_channels_that_apprise_knows_are_taken(url: str) -> None:
    assert Routing.from_environment({"SOCIAL_ASSETS_ALERT_URLS": url}).channels


def test_what_stands_before_a_channel_is_not_shown_as_its_kind() -> None:
    said = refused(
        lambda: Routing.from_environment({"SOCIAL_ASSETS_ALERT_URLS": "hunter@2://slack://a/b"})
    )
    assert said
    assert "hunter" not in said


@pytest.mark.parametrize("servers", ["sasl://u:hunter2@host:9092", "u:hunter2@host:9092"])
def test_credentials_among_kafkas_brokers_are_refused_without_them(servers: str) -> None:
    said = refused(lambda: KafkaSettings(servers))
    assert "SOCIAL_ASSETS_KAFKA_SASL_PASSWORD" in said
    assert "hunter2" not in said


def test_a_key_given_in_place_of_its_file_is_not_shown() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nhunter2\n"
    said = refused(lambda: KafkaSettings("h:1", protocol="SSL", key=key))
    assert "SOCIAL_ASSETS_KAFKA_SSL_KEY" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://u:hunter/2@h:1", "port 'hunter' of hunter/2"),
        ("http://u:hunter#2@h", "port 'hunter' of hunter#2"),
        ("u:hunter@h", "password hunter"),
        ("http://u:hunter[2@h", "hunter and hunter[2"),
        ("http://u:hun%74er@h", "hunter and hun%74er"),
    ],
)
def test_what_is_hidden_in_logs_includes_passwords_of_malformed_urls(url: str, text: str) -> None:
    shown = settings.hidden(text, {"SOCIAL_ASSETS_CLICKHOUSE_URL": url})
    assert "hun" not in shown
