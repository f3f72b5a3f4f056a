"""Checks the signatures of deliveries, over the bytes as they came.

Belongs here: one function for each way of signing. Comparisons take the same time for every wrong
signature.
"""

from __future__ import annotations

import base64
import hmac
import re

from social_assets.ingest.webhooks.webhook import (
    Headers,
    SignatureMissingError,
    SignatureWrongError,
)

REPLAY_SECONDS = 300
"""How far the time in a signature may be from ours, to either side."""

_WEBSUB = re.compile(r"(sha1|sha256|sha384|sha512)=([0-9a-fA-F]+)", re.ASCII)
_TIMED = re.compile(r"t=([0-9]{1,12}),s=([0-9a-fA-F]+)", re.ASCII)


def check_meta(headers: Headers, body: bytes, secret: bytes, _: float) -> None:
    """`X-Hub-Signature-256: sha256=<hex>`, of Instagram and Facebook."""
    given = _only(headers, b"x-hub-signature-256")
    _compare(given, "sha256=" + hmac.digest(secret, body, "sha256").hex())


def check_x(headers: Headers, body: bytes, secret: bytes, _: float) -> None:
    """`x-twitter-webhooks-signature: sha256=<base64>`."""
    given = _only(headers, b"x-twitter-webhooks-signature")
    _compare(given, base64_mac(secret, body))


def check_websub(headers: Headers, body: bytes, secret: bytes, _: float) -> None:
    """`X-Hub-Signature: <method>=<hex>`, with one of the methods of WebSub."""
    given = _WEBSUB.fullmatch(_only(headers, b"x-hub-signature"))
    if given is None:
        raise SignatureMissingError("the signature has not the form method=hex")
    _compare(given[2].lower(), hmac.digest(secret, body, given[1]).hex())


def check_tiktok(headers: Headers, body: bytes, secret: bytes, now: float) -> None:
    """`TikTok-Signature: t=<Unix seconds>,s=<hex>`, over the time and the body."""
    given = _TIMED.fullmatch(_only(headers, b"tiktok-signature"))
    if given is None:
        raise SignatureMissingError("the signature has not the form t=seconds,s=hex")
    signed = given[1].encode() + b"." + body
    _compare(given[2].lower(), hmac.digest(secret, signed, "sha256").hex())
    if abs(now - int(given[1])) > REPLAY_SECONDS:
        raise SignatureWrongError(
            f"the signature is more than {REPLAY_SECONDS} seconds away from the time of the server"
        )


def base64_mac(secret: bytes, signed: bytes) -> str:
    """`sha256=` and the HMAC in base64, as X wants it."""
    return "sha256=" + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def _only(headers: Headers, name: bytes) -> str:
    found = [value for key, value in headers if key == name]
    if len(found) != 1:
        raise SignatureMissingError(f"the request has {len(found)} headers {name.decode()}")
    return found[0].decode("latin-1")


def _compare(given: str, expected: str) -> None:
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise SignatureWrongError("the signature is not that of this body")
