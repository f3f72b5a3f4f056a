"""Who may ask: the Host header against DNS rebinding, then user and password.

Loopback keeps other machines out, the password other users of this one, and the Host
check the web pages that a browser of this user happens to show.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from pathlib import Path

from starlette.requests import Request

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.files import USER

_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Access:
    """The checks that every request passes before anything else."""

    def __init__(self, password: str, password_file: Path) -> None:
        self._password = password
        self._password_file = password_file

    def check_host(self, request: Request) -> None:
        """Refuse a request that was not addressed to this machine by its loopback name.

        Also one that a page of another origin sends, as a browser tells.
        """
        host = request.headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() not in _LOCAL_NAMES:
            raise ClickHouseError(
                497,
                "ACCESS_DENIED",
                f"the Host header {host!r} is not this machine's loopback; connect to 127.0.0.1",
            )
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host}".lower():
            raise ClickHouseError(
                497,
                "ACCESS_DENIED",
                f"a page of {origin!r} may not ask this server; use the page at /play",
            )

    def check_credentials(self, request: Request) -> None:
        """Refuse a request without the right user and password."""
        user, password = _credentials(request)
        right_user = hmac.compare_digest(user.encode(), USER.encode())
        right_password = hmac.compare_digest(password.encode(), self._password.encode())
        if not (right_user and right_password):
            raise ClickHouseError(
                516,
                "AUTHENTICATION_FAILED",
                f"{user}: Authentication failed: password is incorrect, or there is no user with "
                f"such name. The user of this embedded server is {USER!r}, its password stands in "
                f"{self._password_file}",
            )


def _credentials(request: Request) -> tuple[str, str]:
    """From headers of ClickHouse, basic authentication or the URL, in this order."""
    headers, values = request.headers, request.query_params
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user", USER), headers.get("x-clickhouse-key", "")
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise ClickHouseError(
                516, "AUTHENTICATION_FAILED", "the Authorization header is no basic authentication"
            ) from None
        return user, password
    return values.get("user", USER), values.get("password", "")
