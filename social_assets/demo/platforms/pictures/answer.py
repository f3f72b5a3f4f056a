"""Answers a request for a picture.

Belongs here: addresses of pictures, and what is wrong with those that are faulty. As on real
networks for content, an address has a signature that changes with each page that names it, and the
path alone says which picture it is. `/pictures/faulty/<fault>/<name>` always has that fault.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.types import Receive, Send

from social_assets.demo.platforms.pictures.draw import png

PATH = "pictures"
_PIECE = bytes(64 << 10)
_LARGE = 12 << 20


def picture_address(server: str, platform: str, name: str, now: float) -> str:
    """Where the picture of a post is, for the next hour."""
    return f"{server}/{PATH}/{platform}/{name}.png?expires={int(now) + 3600}&sig={int(now) % 9973}"


@dataclass
class PictureServer:
    """Serves pictures, and counts how often each was asked for."""

    slow_seconds: float = 30.0
    asked: dict[str, int] = field(default_factory=dict)

    async def respond(
        self, receive: Receive, send: Send, parts: list[str], fault: str | None
    ) -> None:
        """Answer a request for a path below `/pictures`; `fault` is one by chance."""
        path = "/".join(parts)
        self.asked[path] = self.asked.get(path, 0) + 1
        if fault is not None and fault.startswith("error_"):
            await _send(send, int(fault.removeprefix("error_")), b"", "text/plain")
        elif fault == "throttled":
            await _send(send, 429, b"", "text/plain")
        elif parts[:1] == ["faulty"]:
            await self._faulty(receive, send, parts[1] if len(parts) > 1 else "", path)
        else:
            await _send(send, 200, png(path), "image/png")

    async def _faulty(self, receive: Receive, send: Send, fault: str, path: str) -> None:
        picture = png(path)
        if fault == "slow":
            await asyncio.sleep(self.slow_seconds)
        if fault == "endless":
            await _endless(receive, send)
        elif fault == "cut":
            await _cut(send, picture)
        elif target := _targets(path).get(fault):
            await _redirect(send, target)
        elif fault == "too_large":
            await _send(send, 200, png(path, noise_bytes=_LARGE), "image/png")
        else:
            await _send(send, *_bodies(picture).get(fault, (404, b"", "text/plain")))


def _bodies(picture: bytes) -> dict[str, tuple[int, bytes, str]]:
    """Status, body and label of the faults that are whole answers."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'
    return {
        "slow": (200, picture, "image/png"),
        "html": (200, b"<!doctype html><p>Sign in</p>", "image/png"),
        "svg": (200, svg, "image/svg+xml"),
        "wrong_label": (200, picture, "text/html"),
        "truncated": (200, picture[:-20], "image/png"),
        "error": (503, b"", "text/plain"),
    }


def _targets(path: str) -> dict[str, str]:
    """Where the faults lead that are redirects; `redirect` leads to a good picture."""
    return {
        "redirect": f"/{PATH}/{path.replace('faulty/redirect', 'moved')}",
        "to_private": "http://169.254.169.254/latest/meta-data/",
        "to_file": "file:///etc/passwd",
        "in_circle": f"/{PATH}/{path}",
    }


class CutPictureError(ConnectionError):
    """Raised in the middle of a picture, on purpose: uvicorn closes the connection."""


async def _send(send: Send, status: int, body: bytes, label: str) -> None:
    headers = [(b"content-type", label.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _redirect(send: Send, to: str) -> None:
    headers = [(b"location", to.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _cut(send: Send, picture: bytes) -> None:
    headers = [(b"content-length", str(len(picture)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    half = picture[: len(picture) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    raise CutPictureError("the fault `cut`")


async def _endless(receive: Receive, send: Send) -> None:
    """A picture without a length and without an end, until the reader has enough."""
    # uvicorn takes what is sent to a reader that is gone without an error and without a pause.
    gone = asyncio.create_task(_gone(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = png("endless")[:-12]
        while not gone.done():
            await send({"type": "http.response.body", "body": body, "more_body": True})
            body = _PIECE
            await asyncio.sleep(0)
    finally:
        gone.cancel()


async def _gone(receive: Receive) -> None:
    """Wait until the reader closes its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
