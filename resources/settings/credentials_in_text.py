"""Credentials that a text shows by its form: in URLs, headers and assignments.

Belongs here: their patterns. Secrets that are known by value are removed by `variables.hidden`.
Standard library only.
"""

from __future__ import annotations

import re

_HIDDEN = "***"
_IN_URL = re.compile(r"(?<=://)[^\s/@\"']*:[^\s/@\"']+(?=@)")
_AUTHORIZATION = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?P<name>\b[\w-]*(?:password|passwd|secret|api[_-]?key|access[_-]?token|refresh[_-]?token"
    r"|\btoken)[\"']?\s*[=:]\s*[\"']?)(?P<value>[^\s\"',;&)}\]]{6,})",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text without what looks like a credential."""
    text = _IN_URL.sub(_HIDDEN, text)
    text = _AUTHORIZATION.sub(rf"\1 {_HIDDEN}", text)
    return _ASSIGNED.sub(rf"\g<name>{_HIDDEN}", text)
