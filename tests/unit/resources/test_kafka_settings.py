"""Address and credentials of Kafka come from the environment; no text shows a secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resources.kafka.resource import KafkaResource, KafkaSettingsError
from resources.kafka.settings import KafkaSettings
from resources.settings.home import ENVIRONMENT_VARIABLE

SECRET = "s3cret"
SASL = {
    "SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": "a:9092, b:9092",
    "SOCIAL_ASSETS_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
    "SOCIAL_ASSETS_KAFKA_SASL_MECHANISM": "scram-sha-512",
    "SOCIAL_ASSETS_KAFKA_SASL_USERNAME": "u",
    "SOCIAL_ASSETS_KAFKA_SASL_PASSWORD": SECRET,
}


@pytest.fixture(autouse=True)
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def settings(environment: dict[str, str]) -> KafkaSettings:
    found = KafkaSettings.from_environment(environment)
    assert found is not None
    return found


def test_without_servers_and_without_a_broker_of_the_home_kafka_is_not_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS", raising=False)
    assert KafkaSettings.from_environment({}) is None
    assert not KafkaResource().is_configured()
    with pytest.raises(KafkaSettingsError, match=r"BOOTSTRAP_SERVERS.*kafka start"):
        KafkaResource().offsets("any")


def test_the_broker_of_the_home_is_used_when_nothing_is_named(bare_home: Path) -> None:
    (bare_home / "kafka").mkdir(parents=True)
    (bare_home / "kafka" / "bootstrap_servers").write_text("127.0.0.1:4711\n")
    assert settings({}).servers == "127.0.0.1:4711"
    assert settings({"SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": "a:1"}).servers == "a:1"


def test_a_variable_that_is_empty_is_not_set() -> None:
    empty = dict.fromkeys(SASL, "") | {"SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": "a:9092"}
    assert settings(empty) == KafkaSettings("a:9092")


def test_both_clients_get_the_same_cluster_and_login(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    found = settings(SASL | {"SOCIAL_ASSETS_KAFKA_SSL_CA": str(ca)})
    assert dict(found.for_librdkafka()) == {
        "bootstrap.servers": "a:9092, b:9092",
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "u",
        "sasl.password": SECRET,
        "ssl.ca.location": str(ca),
    }
    assert found.for_kafka_python() == {
        "bootstrap_servers": ["a:9092", "b:9092"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": SECRET,
        "ssl_cafile": str(ca),
    }


def test_librdkafka_takes_every_setting(tmp_path: Path) -> None:
    from confluent_kafka import Consumer

    Consumer({**settings(SASL).for_librdkafka(), "group.id": "g"}).close()


def test_no_text_shows_the_password() -> None:
    found = settings(SASL)
    texts = [repr(found), str(found), repr(found.for_librdkafka()), f"{found.for_librdkafka()}"]
    assert all(SECRET not in text for text in texts)
    assert all("u" in text for text in texts)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SOCIAL_ASSETS_KAFKA_SECURITY_PROTOCOL": "TLS"}, "SECURITY_PROTOCOL is 'TLS'"),
        ({"SOCIAL_ASSETS_KAFKA_SASL_MECHANISM": "GSSAPI"}, "SASL_MECHANISM is 'GSSAPI'"),
        ({"SOCIAL_ASSETS_KAFKA_SASL_PASSWORD": ""}, "set .*SASL_PASSWORD"),
        ({"SOCIAL_ASSETS_KAFKA_SECURITY_PROTOCOL": "SSL"}, "would not be used"),
        ({"SOCIAL_ASSETS_KAFKA_SSL_CA": "/no/such.pem"}, "SSL_CA names /no/such.pem"),
        ({"SOCIAL_ASSETS_KAFKA_API_VERSION": "new"}, "API_VERSION is 'new'"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_by_name(
    changed: dict[str, str], named: str
) -> None:
    with pytest.raises(KafkaSettingsError, match=named) as caught:
        KafkaSettings.from_environment(SASL | changed)
    assert SECRET not in str(caught.value)


def test_loading_the_resource_loads_no_kafka_client() -> None:
    code = (
        "import resources.kafka.resource, social_assets.ingest.kafka.reader, sys;"
        "print([m for m in ('kafka', 'confluent_kafka', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
