"""A server in a temporary home, and two ways to send queries: a client, and plain HTTP."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client

from resources.clickhouse.resource import connect
from resources.embedded_clickhouse.lifecycle import Endpoint, ensure_running, stop
from resources.settings.home import Home


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> int:
        return int(self.headers.get("x-clickhouse-exception-code", 0))


class BareHttp:
    """HTTP requests like `curl`, by default with the right credentials."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.address = urlsplit(endpoint.url)
        secret = base64.b64encode(f"{endpoint.user}:{endpoint.password}".encode()).decode()
        self.authorization = {"Authorization": f"Basic {secret}"}

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(
            self.address.hostname or "", self.address.port or 0, timeout=60
        )

    def __call__(
        self,
        body: bytes | str = b"",
        method: str = "POST",
        headers: dict[str, str] | None = None,
        anonymous: bool = False,
        path: str = "/",
        **parameters: str | int,
    ) -> Answer:
        connection = self.connection()
        sent = {} if anonymous else dict(self.authorization)
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        data = body.encode() if isinstance(body, str) else body
        connection.request(method, target, data, sent | (headers or {}))
        response = connection.getresponse()
        answer = Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read(),
        )
        connection.close()
        return answer


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("home"))
    yield home
    stop(home)


@pytest.fixture(scope="module")
def endpoint(home: Home) -> Endpoint:
    return ensure_running(home)


@pytest.fixture
def ask(endpoint: Endpoint) -> BareHttp:
    return BareHttp(endpoint)


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[Client]:
    client = connect(endpoint)
    yield client
    client.close()


@pytest.fixture
def table(client: Client) -> Callable[..., str]:
    """Create a MergeTree table of these columns with a new name."""

    def make(columns: str, order_by: str = "tuple()", settings: str = "") -> str:
        name = f"t_{uuid4().hex[:12]}"
        clause = f"SETTINGS {settings}" if settings else ""
        client.command(
            f"CREATE TABLE {name} ({columns}) ENGINE = MergeTree ORDER BY {order_by} {clause}"
        )
        return name

    return make
