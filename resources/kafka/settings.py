"""How to reach Kafka: read from the environment, and put as each client library wants it.

Belongs here: the variables, what they may hold, and the two spellings. No secret shows in the text
of anything made here. Standard library only, since every tick of a sensor reads it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from resources.kafka.broker import bootstrap_servers
from resources.settings.environments import require_complete
from resources.settings.home import Home

PREFIX = "SOCIAL_ASSETS_KAFKA_"
BOOTSTRAP_SERVERS = PREFIX + "BOOTSTRAP_SERVERS"
SECURITY_PROTOCOL = PREFIX + "SECURITY_PROTOCOL"
SASL_MECHANISM = PREFIX + "SASL_MECHANISM"
SASL_USERNAME = PREFIX + "SASL_USERNAME"
SASL_PASSWORD = PREFIX + "SASL_PASSWORD"
SSL_CA = PREFIX + "SSL_CA"
SSL_CERTIFICATE = PREFIX + "SSL_CERTIFICATE"
SSL_KEY = PREFIX + "SSL_KEY"
API_VERSION = PREFIX + "API_VERSION"
"""`2.3` for librdkafka's in-process broker, which does not tell its version to kafka-python."""

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SECRETS = frozenset({"sasl.password"})
_HIDDEN = "***"


class KafkaSettingsError(ValueError):
    """A variable of the environment that can't be used; the text names it."""


class ClientSettings(dict[str, str]):
    """librdkafka's settings; as text its secrets are hidden."""

    def __repr__(self) -> str:
        return repr({k: _HIDDEN if k in _SECRETS else v for k, v in self.items()})

    __str__ = __repr__


@dataclass(frozen=True)
class KafkaSettings:
    """Where the brokers are and as whom to come. Empty text: not set."""

    servers: str
    protocol: str = "PLAINTEXT"
    mechanism: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    certificate: str = ""
    key: str = ""
    api_version: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if re.search(r"[@/\s]", re.sub(r"\s*,\s*", ",", self.servers.strip())):
            raise KafkaSettingsError(
                f"{BOOTSTRAP_SERVERS} must read host:port,host:port, without a scheme; user and "
                f"password belong in {SASL_USERNAME} and {SASL_PASSWORD}"
            )
        _one_of(SECURITY_PROTOCOL, self.protocol, _PROTOCOLS)
        if self.protocol.startswith("SASL"):
            _one_of(SASL_MECHANISM, self.mechanism, _MECHANISMS)
            if not self.username or not self.password:
                raise KafkaSettingsError(
                    f"{SECURITY_PROTOCOL} is {self.protocol}: set {SASL_USERNAME} and "
                    f"{SASL_PASSWORD}"
                )
        elif self.mechanism or self.username or self.password:
            raise KafkaSettingsError(
                f"{SASL_MECHANISM}, {SASL_USERNAME} or {SASL_PASSWORD} is set, and would not be "
                f"used: {SECURITY_PROTOCOL} is {self.protocol}, not SASL_SSL or SASL_PLAINTEXT"
            )
        for variable, path in (
            (SSL_CA, self.ca),
            (SSL_CERTIFICATE, self.certificate),
            (SSL_KEY, self.key),
        ):
            if "-----BEGIN" in path or "\n" in path:
                raise KafkaSettingsError(
                    f"{variable} holds the content of a file; it must name the file"
                )
            if path and not Path(path).is_file():
                raise KafkaSettingsError(f"{variable} names {path}, which is no file")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """What the environment says; else the home's own broker; None if there is neither.

        Raises KafkaSettingsError naming the variable that is wrong.
        """
        named = environment.get(BOOTSTRAP_SERVERS)
        if not named:
            require_complete(environment)
            own = bootstrap_servers(Home.from_environment())
            return None if own is None else cls(own)
        return cls(
            servers=named,
            protocol=(environment.get(SECURITY_PROTOCOL) or "PLAINTEXT").upper(),
            mechanism=environment.get(SASL_MECHANISM, "").upper(),
            username=environment.get(SASL_USERNAME, ""),
            password=environment.get(SASL_PASSWORD, ""),
            ca=environment.get(SSL_CA, ""),
            certificate=environment.get(SSL_CERTIFICATE, ""),
            key=environment.get(SSL_KEY, ""),
            api_version=_version(environment.get(API_VERSION, "")),
        )

    def for_librdkafka(self) -> ClientSettings:
        """For `confluent_kafka`'s clients."""
        settings = {
            "bootstrap.servers": self.servers,
            "security.protocol": self.protocol.lower(),
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.username,
            "sasl.password": self.password,
            "ssl.ca.location": self.ca,
            "ssl.certificate.location": self.certificate,
            "ssl.key.location": self.key,
        }
        return ClientSettings({name: value for name, value in settings.items() if value})

    def for_kafka_python(self) -> dict[str, object]:
        """For `kafka`'s clients. Holds the password in clear: give it away, don't show it."""
        settings: dict[str, object] = {
            "bootstrap_servers": [s.strip() for s in self.servers.split(",") if s.strip()],
            "security_protocol": self.protocol,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
            "ssl_cafile": self.ca,
            "ssl_certfile": self.certificate,
            "ssl_keyfile": self.key,
            "api_version": self.api_version,
        }
        return {name: value for name, value in settings.items() if value}


def _one_of(variable: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise KafkaSettingsError(f"{variable} is {value!r}; it must be one of {', '.join(allowed)}")


def _version(text: str) -> tuple[int, ...] | None:
    if not text:
        return None
    parts = text.split(".")
    if not all(part.isdecimal() for part in parts):
        raise KafkaSettingsError(f"{API_VERSION} is {text!r}; it must read like 2.3")
    return tuple(int(part) for part in parts)
