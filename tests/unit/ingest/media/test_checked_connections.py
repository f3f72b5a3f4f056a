"""The connection goes to the address that was checked, whatever the name says afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from social_assets.demo.platforms.pictures.draw import png
from social_assets.ingest.media import fetch_pictures
from social_assets.ingest.media.addresses import AllowedHost
from social_assets.ingest.media.fetch_pictures import NoPicture, Picture, PictureFetcher


class Pictures(BaseHTTPRequestHandler):
    """Answers every request with a picture, and sets a cookie."""

    asked: list[tuple[str, str | None, str | None]]

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers["host"], self.headers["cookie"]))
        body = png(self.path)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("set-cookie", "who=me; Path=/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Pictures.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Pictures) as found:
        Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def fetch(fetcher: PictureFetcher, url: str) -> Picture | NoPicture:
    return fetcher.fetch_all([url], lambda picture: picture)[url]


def names(*answers: tuple[str, ...]) -> fetch_pictures.Resolve:
    """A name server that gives one answer after the other."""
    waiting = iter(answers)

    async def resolve(host: str, port: int) -> tuple[str, ...]:
        return next(waiting)

    return resolve


def test_a_name_that_leads_into_this_network_is_refused_before_any_connection(
    server: ThreadingHTTPServer,
) -> None:
    for address in ("127.0.0.1", "10.1.2.3", "::1", "169.254.169.254", "::ffff:127.0.0.1"):
        found = fetch(PictureFetcher(1_000, resolve=names((address,))), "http://example.org/a")
        assert isinstance(found, NoPicture)
        assert (found.reason, found.is_final) == ("address_refused", True)
        assert address in found.detail
    assert Pictures.asked == []


def test_the_server_is_told_the_name_and_no_cookie_is_kept(server: ThreadingHTTPServer) -> None:
    port = server.server_address[1]
    allowed = AllowedHost("127.0.0.1", port)
    fetcher = PictureFetcher(10_000, allowed)
    urls = [f"http://127.0.0.1:{port}/{n}?sig=1" for n in range(3)]
    found = fetcher.fetch_all(urls, lambda picture: picture.media_type)
    assert set(found.values()) == {"image/png"}
    host = f"127.0.0.1:{port}"
    assert sorted(Pictures.asked) == [(f"/{n}?sig=1", host, None) for n in range(3)]


def test_each_address_is_asked_once_however_often_it_is_named(server: ThreadingHTTPServer) -> None:
    port = server.server_address[1]
    url = f"http://127.0.0.1:{port}/a"
    PictureFetcher(10_000, AllowedHost("127.0.0.1", port)).fetch_all([url] * 5, lambda _: None)
    assert len(Pictures.asked) == 1


def test_a_name_without_an_address_is_tried_again_later() -> None:
    found = fetch(PictureFetcher(1_000), "http://no-such-name.invalid/a")
    assert isinstance(found, NoPicture)
    assert (found.reason, found.is_final) == ("name_not_found", False)


def test_no_message_has_the_path_or_the_query(server: ThreadingHTTPServer) -> None:
    for url in ("http://no-such-name.invalid/secret?sig=secret", "http://10.0.0.1/secret?secret"):
        found = fetch(PictureFetcher(1_000), url)
        assert isinstance(found, NoPicture)
        assert "secret" not in found.detail


def test_an_error_of_the_store_stops_the_fetch(server: ThreadingHTTPServer) -> None:
    port = server.server_address[1]

    def full(_: Picture) -> None:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        PictureFetcher(10_000, AllowedHost("127.0.0.1", port)).fetch_all(
            [f"http://127.0.0.1:{port}/{n}" for n in range(20)], full
        )
