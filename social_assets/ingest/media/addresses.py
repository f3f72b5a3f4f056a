"""Which addresses a picture may be fetched from.

Belongs here: the rules for URLs and for the IP addresses that a name resolves to. Addresses of
pictures are written by platforms and by people: one that leads into this network is refused.
Connecting to exactly the address that was checked belongs to `fetch_pictures`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

import httpx

ALLOWED_HOST = "SOCIAL_ASSETS_MEDIA_ALLOWED_HOST"
"""Environment variable: one host:port of the loopback interface, for tests and the demonstration.
Default: none."""

LONGEST_URL = 4_096
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_NAT64 = IPv6Network("64:ff9b::/96")
_REFUSED = tuple(
    map(
        ip_network,
        (
            # Python 3.11 takes some of these for global ones: carrier networks, protocol
            # assignments, relays that carry an IPv4 address of anyone, and documentation.
            *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),
            *("224.0.0.0/4", "240.0.0.0/4"),
            *("::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"),
            *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
        ),
    )
)


class AddressRefusedError(ValueError):
    """A picture is not fetched from this address; the text says why, without path and query."""


class AllowedHostError(ValueError):
    """The setting is no host and port of the loopback interface."""


@dataclass(frozen=True)
class AllowedHost:
    """A server on loopback that may be asked though its address is not public."""

    host: str
    port: int

    @classmethod
    def from_environment(cls) -> Self | None:
        """What SOCIAL_ASSETS_MEDIA_ALLOWED_HOST names. Raises AllowedHostError."""
        named = os.environ.get(ALLOWED_HOST)
        return cls.parse(named) if named else None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The host and port of a text like 127.0.0.1:8099. Raises AllowedHostError."""
        host, _, port = text.rpartition(":")
        try:
            address = ip_address(host.strip("[]"))
            number = int(port)
        except ValueError:
            address, number = ip_address("192.0.2.1"), 0
        if not address.is_loopback or not 0 < number < 1 << 16:
            raise AllowedHostError(
                f"{ALLOWED_HOST} is {text!r}; write one address of the loopback interface and its "
                "port, such as 127.0.0.1:8099"
            )
        return cls(str(address), number)


@dataclass(frozen=True)
class PictureUrl:
    """An address that may be asked, once its name has been resolved and checked."""

    url: httpx.URL
    host: str
    """As it is resolved, and named to the server: ASCII, without the brackets of IPv6."""
    port: int
    is_allowed_host: bool = False

    @property
    def authority(self) -> str:
        """The header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.url.port is None else f"{host}:{self.url.port}"


def picture_url(text: str, allowed: AllowedHost | None = None) -> PictureUrl:
    """Read an address. Raises AddressRefusedError for what no picture is fetched from."""
    if len(text) > LONGEST_URL:
        raise AddressRefusedError(f"an address of {len(text):,} characters")
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise AddressRefusedError("it is no URL") from None
    if url.scheme not in _PORTS:
        raise AddressRefusedError(f"the scheme {url.scheme[:20] or 'is missing'}; only http(s)")
    if not _HOST.fullmatch(host):
        raise AddressRefusedError("it names no host")
    if url.userinfo:
        raise AddressRefusedError("it has a user name or a password")
    port = url.port or _PORTS[url.scheme]
    if allowed is not None and (host, port) == (allowed.host, allowed.port):
        return PictureUrl(url, host, port, is_allowed_host=True)
    if port not in _PORTS.values():
        raise AddressRefusedError(f"port {port}; only 80 and 443")
    return PictureUrl(url, host, port)


def check_resolved(url: PictureUrl, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses that a name resolves to. Raises AddressRefusedError unless all are public."""
    if url.is_allowed_host:
        return (url.host,)
    for each in addresses:
        if not is_public(each):
            raise AddressRefusedError(f"{url.host} is {each}, which is not a public address")
    return addresses


def is_public(text: str) -> bool:
    """Whether an IP address belongs to the public internet, also by what is embedded in it."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        embedded = _embedded(address)
        if embedded is not None:
            return is_public(str(embedded))
    is_refused = any(address in each for each in _REFUSED if each.version == address.version)
    return address.is_global and not is_refused


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which packets for this one go."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
