"""A Kafka broker inside this process, on loopback, which keeps nothing: librdkafka's mock cluster.

For demonstrations and tests on machines without Java. It speaks enough of the protocol for this
project's sensors, drains and checks, makes topics when they are written to, and forgets all when
its process ends. What it can't do: topic ids, topic administration, transactions. Everything real
is Apache Kafka: `kafka_broker`, or a cluster named by the environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from resources.kafka.settings import (
    API_VERSION,
    BOOTSTRAP_SERVERS,
    SASL_MECHANISM,
    SASL_PASSWORD,
    SASL_USERNAME,
    SECURITY_PROTOCOL,
    SSL_CA,
    SSL_CERTIFICATE,
    SSL_KEY,
)

PARTITIONS = 4
"""Of each topic: what librdkafka gives one that is made by writing to it."""

KEPT_BYTES = 5 << 20
"""Of each partition: older records are dropped, read or not."""

_START_SECONDS = 10.0
_WARNING = 4


@dataclass(frozen=True)
class MockBroker:
    """Where the broker listens, as `host:port`."""

    servers: str

    def environment(self) -> Mapping[str, str]:
        """The variables that make a process use this broker, and no other's credentials."""
        unused = (SASL_MECHANISM, SASL_USERNAME, SASL_PASSWORD, SSL_CA, SSL_CERTIFICATE, SSL_KEY)
        return {
            BOOTSTRAP_SERVERS: self.servers,
            SECURITY_PROTOCOL: "PLAINTEXT",
            # Asked for its version, it hangs up on kafka-python.
            API_VERSION: "2.3",
            **dict.fromkeys(unused, ""),
        }


@contextmanager
def mock_broker() -> Iterator[MockBroker]:
    """A broker of this process, for the time of the block. What it holds is gone after it."""
    # Imported here: librdkafka is nothing that loading this module needs.
    from confluent_kafka import Producer

    host = Producer({"test.mock.num.brokers": 1, "log_level": _WARNING})
    (broker,) = host.list_topics(timeout=_START_SECONDS).brokers.values()
    yield MockBroker(f"{broker.host}:{broker.port}")
    host.close()
