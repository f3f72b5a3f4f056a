"""ClickHouse as a Dagster resource: a server by URL, or else the embedded one.

Belongs here: endpoints and clients. The callers decide what to query.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from dagster import ConfigurableResource

from resources.clickhouse.cluster import INSERT_SETTINGS as CLUSTER_INSERTS
from resources.clickhouse.cluster import cluster_from_environment
from resources.embedded_clickhouse.lifecycle import Endpoint, ensure_running
from resources.settings.environments import require_complete
from resources.settings.home import Home
from resources.settings.secret_urls import UrlSettingError, read_url

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

URL_VARIABLE = "SOCIAL_ASSETS_CLICKHOUSE_URL"
_DEFAULT_PORTS = {"http": 8123, "https": 8443}

SettingValue: TypeAlias = str | int | float | bool


_Key: TypeAlias = tuple[Endpoint, str | None, tuple[tuple[str, SettingValue], ...]]
_MOST_IDLE = 8
_IDLE_SECONDS = 10.0


class _Idle:
    """Clients that were released a moment ago: connecting takes 14 ms, five times a query."""

    def __init__(self) -> None:
        self._clients: list[tuple[float, _Key, Client]] = []
        self._lock = Lock()

    def take(self, key: _Key) -> Client | None:
        """A client with the same endpoint, comment and settings, if there is one."""
        self._drop(_MOST_IDLE)
        with self._lock:
            for place, (_, of, client) in enumerate(self._clients):
                if of == key:
                    del self._clients[place]
                    return client
        return None

    def keep(self, key: _Key, client: Client) -> None:
        """Keep a client for reuse, and drop the one that has been unused for the longest time."""
        self._drop(_MOST_IDLE - 1)
        with self._lock:
            self._clients.append((time.monotonic(), key, client))

    def _drop(self, kept: int) -> None:
        since = time.monotonic() - _IDLE_SECONDS
        with self._lock:
            fresh = [held for held in self._clients if held[0] > since][-kept:]
            dropped = [held for held in self._clients if held not in fresh]
            self._clients = fresh
        for _, _, client in dropped:
            client.close()


def _forget_idle() -> None:
    """In a forked process: forget the clients, which the parent still uses."""
    global _idle  # noqa: PLW0603 - a lock that another thread held at the fork stays behind too
    _idle = _Idle()


_idle = _Idle()
os.register_at_fork(after_in_child=_forget_idle)


class ClickHouseAddressError(UrlSettingError):
    """The URL variable doesn't hold the address of a ClickHouse server."""


class ClickHouseUnreachableError(ConnectionError):
    """Nothing answers at the address, or it refuses; the text names it and the setting."""


class ClickHouseResource(ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse's server. Where it is comes from the environment, never from run config,

    so that no password is stored with a run.
    """

    def endpoint(self) -> Endpoint:
        """Address and credentials; starts the embedded server if that is the one meant."""
        url = os.environ.get(URL_VARIABLE)
        if url:
            return endpoint_of_url(url)
        require_complete()
        return ensure_running(Home.from_environment())

    @contextmanager
    def client(self, log_comment: str | None = None, **settings: SettingValue) -> Iterator[Client]:
        """A client without a session, so that its queries may run at the same time.

        `log_comment` and `settings` go with every query of it.
        """
        with client_of(self.endpoint(), log_comment, **settings) as client:
            yield client


@contextmanager
def client_of(
    endpoint: Endpoint, log_comment: str | None = None, **settings: SettingValue
) -> Iterator[Client]:
    """A client of an endpoint for the block, as `ClickHouseResource.client` gives it."""
    key = (endpoint, log_comment, tuple(sorted(settings.items())))
    client = _idle.take(key) or connect(endpoint, log_comment, **settings)
    try:
        yield client
    except BaseException:
        client.close()
        raise
    _idle.keep(key, client)


def connect(endpoint: Endpoint, log_comment: str | None = None, **settings: SettingValue) -> Client:
    """A clickhouse-connect client of the endpoint; the caller closes it."""
    # Imported here: it takes almost a second, which a sensor's tick should not.
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import ClickHouseError

    cluster = cluster_from_environment()

    address = urlsplit(endpoint.url)
    comment = {} if log_comment is None else {"log_comment": log_comment}
    try:
        if cluster is not None:
            from resources.clickhouse.cluster_client import ClusterClient

            return ClusterClient(
                cluster,
                interface=address.scheme,
                host=address.hostname or "",
                port=address.port or _DEFAULT_PORTS[address.scheme],
                username=endpoint.user,
                password=endpoint.password,
                database=None,
                autogenerate_session_id=False,
                settings={**CLUSTER_INSERTS, **settings, **comment},
            )
        return clickhouse_connect.get_client(
            interface=address.scheme,
            host=address.hostname or "",
            port=address.port or _DEFAULT_PORTS[address.scheme],
            username=endpoint.user,
            password=endpoint.password,
            autogenerate_session_id=False,
            settings={**settings, **comment},
        )
    except ClickHouseError as error:
        raise ClickHouseUnreachableError(
            f"no ClickHouse for user {endpoint.user!r} at {endpoint.url}: {error}. "
            f"Check {URL_VARIABLE} (http(s)://user:password@host:port; unset for the embedded one)"
        ) from error


def endpoint_of_url(url: str) -> Endpoint:
    """Split http(s)://user:password@host:port; the result's URL is free of the password."""
    example = "http(s)://user:password@host:port"
    address = read_url(URL_VARIABLE, url, _DEFAULT_PORTS, example, ClickHouseAddressError)
    if address.rest not in ("", "/"):
        raise ClickHouseAddressError(
            f"{URL_VARIABLE} names more than {example}: leave out what follows the port. A "
            "database is not chosen by it: the platform has its own (cleaned, star, rollups ...)"
        )
    host = f"[{address.host}]" if ":" in address.host else address.host
    return Endpoint(
        url=f"{address.scheme}://{host}:{address.port or _DEFAULT_PORTS[address.scheme]}",
        user=address.user or "default",
        password=address.password,
    )
