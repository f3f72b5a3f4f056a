"""Which parts of an alert channel's URL are secret: passwords and tokens, not ordinary words.

Belongs here: the distinction alone. Apprise URLs hold tokens as user, host, path or parameter,
beside names of hosts, schemes, parameters and files. Only tokens may be hidden in a text: a text
whose ordinary words are hidden tells nothing to the person who is paged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

SHORTEST_SECRET = 4
"""Shorter parts are not hidden: they occur in most words."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PARAMETER = re.compile(r"(?<=[?&])[\w+-]+(?==)")
_SEPARATORS = re.compile(r"[\s/:@?&=#,;]+")
_WORDS = re.compile(r"[a-z]{1,10}(?:_[a-z]{1,12}){0,5}|social-assets", re.ASCII)
"""Such as `posts`, `engagement_events`: no digits, no capitals, no long sequence of letters. Words
that hyphens join may be a passphrase or the secret name of a topic."""
_HOST = re.compile(r"(?:[a-z][a-z0-9-]{0,15}\.){1,5}[a-z][a-z0-9]{1,9}", re.ASCII)
"""Such as `hooks.example.org`, `events.json`."""
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\d{1,5}", re.ASCII)
"""An IPv4 address, or a port."""


def secret_parts(urls: str) -> Iterator[str]:
    """The parts of one or several URLs that may be secret, as written and as decoded."""
    for url in re.split(r"[\s,;]+(?=[A-Za-z][A-Za-z0-9+.-]*://)|\s+", urls):
        password = _password(_SCHEME.sub("", url, count=1))
        for part in (password, *_SEPARATORS.split(password)):
            yield from (part, unquote(part))
        rest = _PARAMETER.sub(" ", _SCHEME.sub(" ", url))
        for part in _SEPARATORS.split(rest):
            if not _is_ordinary(part):
                yield from (part, unquote(part))


def _password(rest: str) -> str:
    """What lies between the first colon and the last @ before the first /, or before any @."""
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if not at:
        user = rest.rpartition("@")[0]
    return user.partition(":")[2]


def _is_ordinary(part: str) -> bool:
    return any(pattern.fullmatch(part) for pattern in (_WORDS, _HOST, _ADDRESS))
