"""Fetches pictures over HTTP, within bounds of bytes, time, redirects and connections.

Belongs here: HTTP. Each address, also that of a redirect, is checked by `addresses`; its name is
resolved once, and the connection goes to an address that was checked, so that a name server that
answers differently the second time changes nothing. No message has an address's path or query,
since they may hold tokens.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar

import httpx

from social_assets.ingest.media.addresses import (
    AddressRefusedError,
    AllowedHost,
    PictureUrl,
    check_resolved,
    picture_url,
)
from social_assets.ingest.media.picture_type import is_whole, media_type_of

AT_ONCE = 8
"""Pictures that are fetched at the same time. Each may be in memory whole."""
MOST_REDIRECTS = 5
_ADDRESSES_TRIED = 3
_CONNECT_SECONDS = 8.0
_REDIRECTS = {301, 302, 303, 307, 308}
_FINAL_STATUSES = {404, 410, 451}
Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Picture:
    """A whole picture, with its type by content."""

    body: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True)
class NoPicture:
    """Why there is none. If it `is_final`, asking again would not help."""

    reason: str
    detail: str
    is_final: bool


class NotFetchedError(RuntimeError):
    """There is no picture, and why."""

    def __init__(self, reason: str, detail: str, *, is_final: bool = False) -> None:
        super().__init__(f"{reason}: {detail}")
        self.no_picture = NoPicture(reason, detail, is_final)


async def resolve_name(host: str, port: int) -> tuple[str, ...]:
    """The IP addresses of a name, in the system's order. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True)
class PictureFetcher:
    """Fetches pictures of up to `most_bytes`, each within `seconds` in all."""

    most_bytes: int
    allowed: AllowedHost | None = None
    seconds: float = 30.0
    resolve: Resolve = resolve_name

    def fetch_all(
        self, urls: Iterable[str], keep: Callable[[Picture], Kept]
    ) -> dict[str, Kept | NoPicture]:
        """Fetch each address once, and give each picture to `keep`, in a thread, when it is there.

        An error of `keep` stops everything and is raised.
        """
        # They log each address with its query.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        return asyncio.run(self._fetch_all(list(dict.fromkeys(urls)), keep))

    async def _fetch_all(
        self, urls: list[str], keep: Callable[[Picture], Kept]
    ) -> dict[str, Kept | NoPicture]:
        found: dict[str, Kept | NoPicture] = {}
        waiting = iter(urls)

        async def work(client: httpx.AsyncClient) -> None:
            for url in waiting:
                try:
                    picture = await self._fetch(client, url)
                except NotFetchedError as error:
                    found[url] = error.no_picture
                else:
                    found[url] = await asyncio.to_thread(keep, picture)

        # A connection that is used again would be one to an address, whatever name was checked.
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        timeout = httpx.Timeout(self.seconds, connect=min(self.seconds, _CONNECT_SECONDS))
        headers = {
            "user-agent": "social-assets",
            "accept": "image/*",
            "accept-encoding": "identity",
        }
        async with httpx.AsyncClient(
            verify=ssl.create_default_context(),
            trust_env=False,
            timeout=timeout,
            limits=limits,
            cookies=no_cookies,
            headers=headers,
        ) as client:
            tasks = [asyncio.create_task(work(client)) for _ in range(min(AT_ONCE, len(urls)))]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
        return found

    async def _fetch(self, client: httpx.AsyncClient, text: str) -> Picture:
        """One picture. Raises NotFetchedError."""
        try:
            async with asyncio.timeout(self.seconds):
                return _picture(await self._follow(client, text))
        except TimeoutError:
            raise NotFetchedError("too_slow", f"more than {self.seconds:g} seconds") from None
        except AddressRefusedError as error:
            raise NotFetchedError("address_refused", str(error), is_final=True) from None

    async def _follow(self, client: httpx.AsyncClient, text: str) -> bytes:
        url = picture_url(text, self.allowed)
        for _ in range(MOST_REDIRECTS + 1):
            addresses = check_resolved(url, await self._resolved(url))
            response = await connected(client, url, addresses)
            try:
                location = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not location:
                    return await self._body(response, url)
            finally:
                await response.aclose()
            url = self._redirected(url, location)
        raise NotFetchedError("too_many_redirects", f"more than {MOST_REDIRECTS}", is_final=True)

    def _redirected(self, url: PictureUrl, location: str) -> PictureUrl:
        try:
            target = url.url.join(location)
        except (httpx.InvalidURL, ValueError):
            raise AddressRefusedError(f"{url.host} redirects to what is no URL") from None
        if url.url.scheme == "https" and target.scheme == "http":
            raise AddressRefusedError(f"{url.host} redirects from https to http")
        return picture_url(str(target), self.allowed)

    async def _resolved(self, url: PictureUrl) -> tuple[str, ...]:
        if url.is_allowed_host:
            return (url.host,)
        try:
            found = await self.resolve(url.host, url.port)
        except (OSError, UnicodeError):
            found = ()
        if not found:
            raise NotFetchedError("name_not_found", f"{url.host} has no address")
        return found

    async def _body(self, response: httpx.Response, url: PictureUrl) -> bytes:
        status = response.status_code
        if status != 200:
            reason = "not_there" if status in _FINAL_STATUSES else "http_error"
            told = f"{url.host} answers with status {status}"
            raise NotFetchedError(reason, told, is_final=status in _FINAL_STATUSES)
        large = f"more than {self.most_bytes:,} bytes"
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.most_bytes:
            raise NotFetchedError("too_large", large, is_final=True)
        body = bytearray()
        try:
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > self.most_bytes:
                    raise NotFetchedError("too_large", large, is_final=True)
        except httpx.HTTPError as error:
            raise _failed(error, url) from None
        return bytes(body)


async def connected(
    client: httpx.AsyncClient, url: PictureUrl, addresses: tuple[str, ...]
) -> httpx.Response:
    """The head of an answer, from the first address that can be reached. Raises NotFetchedError."""
    for number, address in enumerate(addresses[:_ADDRESSES_TRIED], 1):
        # TLS names and verifies the host, and the connection goes to the checked address.
        request = client.build_request(
            "GET",
            url.url.copy_with(host=address),
            headers={"host": url.authority},
            extensions={"sni_hostname": url.host},
        )
        try:
            return await client.send(request, stream=True, follow_redirects=False)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if number == min(len(addresses), _ADDRESSES_TRIED):
                raise _failed(error, url) from None
        except httpx.HTTPError as error:
            raise _failed(error, url) from None
    raise NotFetchedError("name_not_found", f"{url.host} has no address")


def _failed(error: httpx.HTTPError, url: PictureUrl) -> NotFetchedError:
    """The library's text may hold the address, so its class alone is told."""
    is_slow = isinstance(error, httpx.TimeoutException)
    reason = "too_slow" if is_slow else "connection_failed"
    return NotFetchedError(reason, f"{url.host}: {type(error).__name__}")


def _picture(body: bytes) -> Picture:
    media_type = media_type_of(body)
    if media_type is None:
        told = f"{len(body):,} bytes that are no JPEG, PNG, GIF, WebP, AVIF, HEIC or MP4"
        raise NotFetchedError("not_a_picture", told, is_final=True)
    if not is_whole(body, media_type):
        raise NotFetchedError("truncated", f"{media_type} without its end")
    return Picture(body, media_type)
