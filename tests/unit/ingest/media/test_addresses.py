"""Only public addresses of http(s) are asked for pictures, however they are written."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from social_assets.ingest.media.addresses import (
    AddressRefusedError,
    AllowedHost,
    AllowedHostError,
    check_resolved,
    is_public,
    picture_url,
)

PRIVATE = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
PRIVATE_6 = [
    "::/128",
    "::1/128",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


def inside(network: str) -> st.SearchStrategy[str]:
    found = ip_network(network)
    first, last = int(found.network_address), int(found.broadcast_address)
    kind = IPv4Address if isinstance(found, IPv4Network) else IPv6Address
    return st.integers(first, last).map(lambda number: str(kind(number)))


private_4 = st.sampled_from(PRIVATE).flatmap(inside)
private_6 = st.sampled_from(PRIVATE_6).flatmap(inside)


@given(private_4 | private_6)
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(address)


@given(private_4.map(IPv4Address))
@example(IPv4Address("127.0.0.1"))
def test_a_private_address_within_another_one_is_not_public(address: IPv4Address) -> None:
    number = int(address)
    for prefix in ("::ffff:0:0", "64:ff9b::", "2002::", "::"):
        shift = 80 if prefix == "2002::" else 0
        assert not is_public(str(IPv6Address(int(IPv6Address(prefix)) | number << shift)))


@given(st.text(max_size=60))
def test_a_text_that_is_no_address_is_not_public(text: str) -> None:
    assert is_public(text) in (True, False)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["fe80::1%eth0", "2606:4700::1%1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", ""]
)
def test_scopes_and_embedded_private_addresses_are_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a.png",
        "gopher://example.org/",
        "data:image/png;base64,AAAA",
        "//example.org/a.png",
        "/a.png",
        "",
        "http://",
        "http:///a.png",
        "https://user@example.org/a.png",
        "https://user:password@example.org/a.png",
        "https://example.org:8443/a.png",
        "http://example.org:22/",
        "http://exa mple.org/",
        "http://[::1/",
        f"https://example.org/{'a' * 5_000}",
    ],
)
def test_urls_that_no_picture_is_fetched_from(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        picture_url(url)


@given(st.text(max_size=200) | st.text(max_size=50).map("http://{}".format))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = picture_url(text)
    except AddressRefusedError:
        return
    assert found.url.scheme in {"http", "https"}
    assert found.port in {80, 443}


def test_a_url_is_read_with_its_host_as_it_is_resolved() -> None:
    found = picture_url("HTTPS://BÜCHER.example/a.png?sig=1#part")
    assert (found.host, found.port, found.authority) == (
        "xn--bcher-kva.example",
        443,
        "xn--bcher-kva.example",
    )


def test_a_name_with_one_private_address_is_refused() -> None:
    url = picture_url("https://example.org/a.png")
    assert check_resolved(url, ("93.184.215.14",)) == ("93.184.215.14",)
    with pytest.raises(AddressRefusedError, match=r"example\.org is 10\.0\.0\.7"):
        check_resolved(url, ("93.184.215.14", "10.0.0.7"))


def test_only_the_host_and_port_of_the_setting_are_allowed() -> None:
    allowed = AllowedHost.parse("127.0.0.1:8099")
    assert picture_url("http://127.0.0.1:8099/a.png", allowed).is_allowed_host
    for url in ("http://127.0.0.1/a.png", "http://localhost/a.png", "http://127.0.0.2/"):
        assert not picture_url(url, allowed).is_allowed_host
    with pytest.raises(AddressRefusedError):
        picture_url("http://127.0.0.1:8098/a.png", allowed)
    with pytest.raises(AddressRefusedError):
        picture_url("http://me@127.0.0.1:8099/a.png", allowed)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "10.0.0.1:80", "localhost:80", "127.0.0.1:0", "127.0.0.1:x", ":", "*"]
)
def test_the_setting_is_an_address_of_loopback_with_a_port(text: str) -> None:
    with pytest.raises(AllowedHostError, match=r"such as 127\.0\.0\.1:8099"):
        AllowedHost.parse(text)
