"""A server whose port is in use names the process that uses it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded_clickhouse.options import PORT, OptionError, Options
from resources.embedded_clickhouse.server import serve
from resources.kafka.broker import PORT_VARIABLE, KafkaBrokerError, start
from resources.settings.home import Home


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_the_embedded_clickhouse_names_who_has_its_port(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PORT, str(taken))
    with pytest.raises(OptionError, match=rf"{taken} .*process {os.getpid()} .* since 20"):
        serve(Home(tmp_path), options=Options.from_environment())


def test_the_kafka_broker_names_who_has_its_port(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PORT_VARIABLE, str(taken))
    with pytest.raises(KafkaBrokerError, match=rf"{taken} .*process {os.getpid()} .* since 20"):
        start(Home(tmp_path), jars=tmp_path / "jars")
