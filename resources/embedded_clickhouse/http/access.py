"""Checks who sent a request: Host and Origin, then user and password.

The server listens on loopback, so other machines cannot reach it. The password excludes other users
of this machine. The checks of Host and Origin exclude web pages in a browser of this user.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from pathlib import Path

from starlette.requests import Request

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.files import USER
from resources.web.requests import host_problem, origin_problem


class Access:
    """The checks that every request passes before anything else."""

    def __init__(self, password: str, password_file: Path) -> None:
        self._password = password
        self._password_file = password_file

    def check_sender(self, request: Request) -> None:
        """Refuse a request that does not name loopback as Host, or that another site's page sent.

        The server's own page is accepted: its Origin is the Host.
        """
        headers = request.headers
        hosts = headers.getlist("host")
        problem = host_problem(hosts)
        remedy = "connect to 127.0.0.1"
        if problem is None:
            fetch_site = headers.get("sec-fetch-site", "")
            problem = origin_problem(headers.getlist("origin"), hosts[0], fetch_site)
            remedy = "use a program, or the page at /play"
        if problem is not None:
            raise ClickHouseError(497, "ACCESS_DENIED", f"{problem}; {remedy}")

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
    """User and password from ClickHouse's headers, basic authentication or the URL, in order."""
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
