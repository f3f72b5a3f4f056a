"""The settings of the embedded server, from the environment, and their defaults.

Belongs here: settings that a person may change. Folder names are in `files`.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import Self

from resources.machine.disk_space import DEFAULT_RESERVE_BYTES, ReserveError, reserve_bytes

PORT = "SOCIAL_ASSETS_CLICKHOUSE_PORT"
IDLE_SECONDS = "SOCIAL_ASSETS_CLICKHOUSE_IDLE_SECONDS"
MEMORY_BYTES = "SOCIAL_ASSETS_CLICKHOUSE_MEMORY_BYTES"
THREADS = "SOCIAL_ASSETS_CLICKHOUSE_THREADS"
MAX_QUERIES = "SOCIAL_ASSETS_CLICKHOUSE_MAX_QUERIES"


class OptionError(ValueError):
    """A setting of the embedded server is not usable; the text names it."""


@dataclass(frozen=True)
class Options:
    """`port` 0: any free port; `idle_seconds` 0: do not stop when idle; `reserve_bytes` 0: keep no
    reserve of free space.
    """

    port: int = 0
    idle_seconds: float = 1800
    memory_bytes: int = 2 * 1024**3
    threads: int = 2
    max_queries: int = 32
    reserve_bytes: int = DEFAULT_RESERVE_BYTES

    @classmethod
    def from_environment(cls) -> Self:
        """Settings of the environment, or the defaults. Raises OptionError for a wrong value."""
        return cls(
            port=_whole_number(PORT, cls.port, 0, 65535),
            idle_seconds=_whole_number(IDLE_SECONDS, int(cls.idle_seconds), 0),
            memory_bytes=_whole_number(MEMORY_BYTES, cls.memory_bytes, 256 * 1024**2),
            threads=_whole_number(THREADS, cls.threads, 1, 1024),
            max_queries=_whole_number(MAX_QUERIES, cls.max_queries, 1, 1024),
            reserve_bytes=_reserve_bytes(),
        )


def loopback_address(host: str) -> str:
    """The address to bind. Raises OptionError unless it is an address of loopback."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise OptionError(f"--host {host!r} is no IP address; use 127.0.0.1") from None
    if not address.is_loopback:
        raise OptionError(
            f"--host {host} would open the embedded ClickHouse to the network; it listens on "
            "loopback only. Use 127.0.0.1, or run a ClickHouse server and set "
            "SOCIAL_ASSETS_CLICKHOUSE_URL to it"
        )
    return host


def _reserve_bytes() -> int:
    try:
        return reserve_bytes()
    except ReserveError as error:
        raise OptionError(str(error)) from error


def _whole_number(name: str, default: int, least: int, most: int | None = None) -> int:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    bounds = f"{least} or more" if most is None else f"{least} to {most}"
    if not text.isdigit() or int(text) < least or (most is not None and int(text) > most):
        raise OptionError(f"{name}={text!r} is not usable: it must be a whole number, {bounds}")
    return int(text)
