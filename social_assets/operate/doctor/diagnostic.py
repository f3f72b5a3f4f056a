"""One thing the doctor has looked at: whether it is well, and what to do where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`remedy` is "" where nothing is to be done."""

    subject: str
    health: Health
    found: str
    remedy: str = ""


def ok(subject: str, found: str) -> Finding:
    """It is well."""
    return Finding(subject, Health.OK, found)


def warn(subject: str, found: str, remedy: str) -> Finding:
    """It works, and will not for long, or not all of it."""
    return Finding(subject, Health.WARN, found, remedy)


def error(subject: str, found: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(subject, Health.ERROR, found, remedy)
