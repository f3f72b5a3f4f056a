"""The session of a browser that has shown the token of the installation, and programs with it.

Belongs here: the comparison of tokens and cookies, in constant time. Where the token comes from
belongs to `token`. The cookie holds an HMAC, so that whoever reads it does not have the token.
"""

from __future__ import annotations

import hashlib
import hmac

from resources.web.asgi import Request

_COOKIE_SECONDS = 30 * 24 * 3600


class BrowserSession:
    """Who has the token. Each server has a purpose: the cookie of one is no cookie of another."""

    def __init__(self, token: str, purpose: str, cookie_prefix: str) -> None:
        self._token = token.encode()
        signed = hmac.new(self._token, purpose.encode(), hashlib.sha256)
        self._value = signed.hexdigest()
        self._prefix = cookie_prefix

    def is_token(self, text: str) -> bool:
        """Whether a text is the token."""
        return hmac.compare_digest(text.encode(), self._token)

    def is_bearer(self, request: Request) -> bool:
        """Whether a program has sent the token."""
        scheme, _, value = request.first("authorization").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(value.strip())

    def has_cookie(self, request: Request) -> bool:
        """Whether a browser has signed in."""
        given = request.cookie(self._name(request))
        return given is not None and hmac.compare_digest(given.encode(), self._value.encode())

    def cookie(self, request: Request) -> str:
        """The Set-Cookie header that signs a browser in."""
        parts = [
            f"{self._name(request)}={self._value}",
            "Path=/; HttpOnly; SameSite=Strict",
            f"Max-Age={_COOKIE_SECONDS}",
            *(["Secure"] if request.is_encrypted else []),
        ]
        return "; ".join(parts)

    def _name(self, request: Request) -> str:
        """One for each port: browsers give cookies to all ports of a machine."""
        return f"{self._prefix}_{request.port}"
