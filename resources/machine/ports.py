"""Ports that a server of this machine may listen on, now and after its next start.

Belongs here: choosing a port, and asking whether one is free. Who holds a port: `port_holder`.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

_HOST = "127.0.0.1"
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_OUTGOING_OF_LINUX = (32768, 60999)
_LOWEST = 10_000
_HIGHEST = 65_535
_TRIES = 200


def free_port(host: str = _HOST) -> int:
    """A port of the host that no process uses now, and that no outgoing connection will use.

    The port that the system chooses for a listener (port 0) is one of those that it also gives to
    outgoing connections. While such a server is away, a client that tries to reach it, or any other
    connection, may get its port; the server cannot start there again. So the port is chosen from
    the others. Raises OSError if none is free.
    """
    candidates = _ports_of_servers(*_range_of_outgoing())
    for _ in range(_TRIES):
        port = candidates[secrets.randbelow(len(candidates))]
        if is_free(port, host):
            return port
    raise OSError(
        f"none of {_TRIES} ports from {candidates[0]} to {candidates[-1]} of {host} is free; "
        "end a server that is not needed"
    )


def is_free(port: int, host: str = _HOST) -> bool:
    """Whether a server could listen on the port now. Port 0 is none."""
    if port == 0:
        return False
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as candidate:
        # As servers bind: connections of an ended server that linger do not hinder the next one.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            # Taken: what this function is asked.
            return False
    return True


def _ports_of_servers(first: int, last: int) -> list[int]:
    """Those outside the range of outgoing connections; all of them if it leaves none."""
    every = range(_LOWEST, _HIGHEST + 1)
    return [port for port in every if not first <= port <= last] or list(every)


def _range_of_outgoing() -> tuple[int, int]:
    try:
        first, last = _OUTGOING.read_text().split()
    except FileNotFoundError:
        # No Linux; macOS and others begin at 49152, which the range of Linux contains.
        return _OUTGOING_OF_LINUX
    return int(first), int(last)
