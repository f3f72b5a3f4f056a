"""Answers of the gates: short pages and texts, with the headers that keep other sites out.

Belongs here: sending them over ASGI. The texts of pages belong to `pages`.
"""

from __future__ import annotations

from resources.web.asgi import Send

SAFE_HEADERS = (
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""No other site may show an answer in a frame, or read it."""

_SIMPLE_CSP = b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


async def send_page(
    send: Send,
    status: int,
    text: str,
    headers: list[tuple[bytes, bytes]] | None = None,
    *,
    head: bool = False,
) -> None:
    """Send a page of `pages`; without its text if only its head was asked for."""
    more = [(b"content-security-policy", _SIMPLE_CSP), *(headers or [])]
    await send_answer(
        send, status, b"text/html; charset=utf-8", b"" if head else text.encode(), more
    )


async def send_answer(
    send: Send, status: int, media: bytes, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    """Send an answer that no cache keeps."""
    fixed = [
        (b"content-type", media),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        *SAFE_HEADERS,
    ]
    if status == 401:
        fixed.append((b"www-authenticate", b"Bearer"))
    start = {"type": "http.response.start", "status": status, "headers": [*fixed, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
