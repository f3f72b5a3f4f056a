"""URLs of the environment that hold a password: read strictly, and never shown.

Belongs here: what such a URL must look like, and the one error for all that do not. The error names
the variable and the remedy; no part of the value is in its text, nor in an exception behind it.
Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from resources.settings.environments import EnvironmentSettingsError

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<user>[^:@/?#\s\[\]]*)(?::(?P<password>[^/?#\s\[\]]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:@/?#\s\[\]]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?#]\S*)?"
)
_LOOKS_LIKE_A_PORT = re.compile(r"[0-9]+")
_ENCODE = (
    "percent-encode what is special in user and password (/ as %2F, # as %23, ? as %3F, @ as %40, "
    ": as %3A, % as %25, a blank as %20)"
)


class UrlSettingError(EnvironmentSettingsError):
    """A variable holds a URL that can't be read; the text names the variable and the remedy."""


@dataclass(frozen=True)
class Address:
    """The parts of a URL, decoded; `rest` begins with the path and is as it was written."""

    scheme: str
    user: str
    password: str = field(repr=False)
    host: str
    port: int | None
    rest: str = field(repr=False)


def read_url(
    variable: str,
    url: str,
    schemes: Collection[str],
    example: str,
    error: type[UrlSettingError] = UrlSettingError,
) -> Address:
    """The parts of a URL. Raises `error` for what can't be read in one way only."""
    found = _URL.fullmatch(url)
    if found is None or found["scheme"].lower() not in schemes or "@" in (found["rest"] or ""):
        raise error(f"{variable} is no URL like {example}; if it is meant to be one, {_ENCODE}")
    port = found["port"]
    if port is not None and not 0 < int(port) <= 65535:
        raise error(f"{variable} names a port that is not between 1 and 65535, or {_ENCODE}")
    return Address(
        scheme=found["scheme"].lower(),
        user=unquote(found["user"] or ""),
        password=unquote(found["password"] or ""),
        host=found["host"].strip("[]").lower(),
        port=None if port is None else int(port),
        rest=found["rest"] or "",
    )


def check_postgres_url(variable: str, url: str) -> None:
    """Raises UrlSettingError for what SQLAlchemy would misread, showing parts of it."""
    example = "postgresql://user:password@host:port/database"
    address = read_url(variable, url, ("postgresql", "postgres", "postgresql+psycopg2"), example)
    authority = url.partition("://")[2].split("/")[0]
    if authority.count("@") > 1 or "#" in address.rest:
        raise UrlSettingError(f"{variable} is no URL like {example}; {_ENCODE}")
    parameters = parse_qsl(address.rest.partition("?")[2], keep_blank_values=True)
    if any("password" in name.lower() for name, _ in parameters):
        # `variables.hidden` knows only the password before the host.
        raise UrlSettingError(
            f"{variable} has a password among its parameters; write it before the host, as in "
            f"{example}"
        )


def check_lake_url(variable: str, root: str) -> None:
    """Raises UrlSettingError for a lake's root that holds credentials, or is malformed."""
    scheme, separator, after = root.partition("://")
    authority = re.split(r"[/?#]", after, maxsplit=1)[0]
    _, colon, port = authority.partition(":")
    if separator:
        has_port = _LOOKS_LIKE_A_PORT.fullmatch(port) is not None and "@" not in after
        is_scheme = re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) is not None
        well_formed = is_scheme and (not colon or has_port) and "#" not in after
    else:
        first = root.partition("/")[0]
        well_formed = not re.search(r":.*@|[A-Za-z0-9+.-]{2}:$", first)
    if not well_formed:
        raise UrlSettingError(
            f"{variable} is neither a folder nor a URL like s3://bucket/lake; credentials do not "
            "belong in it: give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as what "
            "your object store reads"
        )


def has_unescaped_password(url: str) -> bool:
    """Whether a URL of any scheme ends its password by a / ? or # that was to belong to it."""
    authority, end, rest = _split(url.partition("://")[2])
    if "@" in authority or ":" not in authority or not end:
        return False
    is_port = _LOOKS_LIKE_A_PORT.fullmatch(authority.rpartition(":")[2]) is not None
    return not is_port and re.search(r"[^/?#&=,]@[^/?#&=,]", rest) is not None


def _split(text: str) -> tuple[str, str, str]:
    found = re.search(r"[/?#]", text)
    if found is None:
        return text, "", ""
    return text[: found.start()], found.group(), text[found.end() :]
