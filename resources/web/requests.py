"""Whether a request was meant for one of our listeners: Host, Origin, Sec-Fetch-Site.

Belongs here: the checks that every HTTP listener of the project shares, as functions of header
values. They refuse pages of other sites in a browser of this user: DNS rebinding (a foreign name
that resolves to 127.0.0.1) fails the check of Host, a foreign page's request that of Origin. Each
listener identifies the user by itself. Standard library only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def host_problem(hosts: Sequence[str], names: Collection[str] = LOOPBACK_NAMES) -> str | None:
    """Why the Host headers of a request are refused; None if they name this listener.

    `names` are lower-case names without a port; IPv6 addresses stand in brackets.
    """
    if len(hosts) != 1:
        return f"the request has {len(hosts)} Host headers; it must have one"
    if _name(hosts[0]) not in names:
        return f"the Host header {hosts[0]!r} is not a name of this server"
    return None


def origin_problem(origins: Sequence[str], host: str, fetch_site: str = "") -> str | None:
    """Why a request comes from another site's page; None if from our own, or from a program.

    `host` is the Host header, already checked. A page of another port of this machine is another
    site: browsers send it the same cookies.
    """
    if fetch_site.strip().lower() not in ("", "none", "same-origin"):
        return f"the request comes from a page of another site (Sec-Fetch-Site: {fetch_site})"
    for origin in origins:
        if not _is_own(origin, host):
            return f"the request comes from a page of another site (Origin: {origin})"
    return None


def _is_own(origin: str, host: str) -> bool:
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    port = _DEFAULT_PORTS.get(found.scheme)
    if port is None:
        return False
    return found.netloc.lower().removesuffix(port) == host.lower().removesuffix(port)


def _name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    # A port is digits; "[::1]" and "localhost" have none.
    return (name if colon and port.isdigit() else host).lower()
