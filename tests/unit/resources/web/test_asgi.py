"""A request is read as it was sent: its headers, its query, the token in it."""

from __future__ import annotations

import pytest

from resources.web.asgi import Request


def request(query: bytes = b"", *headers: tuple[bytes, bytes]) -> Request:
    return Request({"path": "/", "headers": list(headers), "query_string": query})


@pytest.mark.parametrize("name", [b"token", b"%74oken", b"t%6Fken", b"%74%6f%6b%65%6e"])
def test_a_token_is_taken_out_of_the_query_however_its_name_is_written(name: bytes) -> None:
    asked = request(b"a=1&" + name + b"=secret&b=")
    assert asked.take_token() == "secret"
    assert asked.scope["query_string"] == b"a=1&b="
    assert asked.target == "/?a=1&b="


@pytest.mark.parametrize("query", [b"", b"a=1", b"a=%20b&a=c"])
def test_a_query_without_a_token_stays_as_it_is(query: bytes) -> None:
    asked = request(query)
    assert asked.take_token() is None
    assert asked.scope["query_string"] == query


def test_every_value_of_a_header_is_read_whatever_the_case_of_its_name() -> None:
    asked = request(b"", (b"Origin", b"http://a"), (b"origin", b"http://b"), (b"x", b"\xff"))
    assert list(asked.all("origin")) == ["http://a", "http://b"]
    assert asked.first("origin") == "http://a"
    assert (asked.first("x"), asked.first("absent"), list(asked.all("absent"))) == ("\xff", "", [])
