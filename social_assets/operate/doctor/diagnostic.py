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
class Diagnostic:
    """`remedy` is "" where nothing is to be done."""

    subject: str
    health: Health
    found: str
    remedy: str = ""


def ok(subject: str, found: str) -> Diagnostic:
    """It is well."""
    return Diagnostic(subject, Health.OK, found)


def warn(subject: str, found: str, remedy: str) -> Diagnostic:
    """It works, and will not for long, or not all of it."""
    return Diagnostic(subject, Health.WARN, found, remedy)


def error(subject: str, found: str, remedy: str) -> Diagnostic:
    """It does not work."""
    return Diagnostic(subject, Health.ERROR, found, remedy)
