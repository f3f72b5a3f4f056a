"""The result of one examination of the doctor: health, and a remedy if something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """The health of what was examined."""

    OK = "ok"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True)
class Diagnostic:
    """One result; `remedy` is "" if there is nothing to do."""

    subject: str
    health: Health
    found: str
    remedy: str = ""


def ok(subject: str, found: str) -> Diagnostic:
    """It works."""
    return Diagnostic(subject, Health.OK, found)


def warn(subject: str, found: str, remedy: str) -> Diagnostic:
    """It works now, but will fail soon, or works only partly."""
    return Diagnostic(subject, Health.WARN, found, remedy)


def error(subject: str, found: str, remedy: str) -> Diagnostic:
    """It does not work."""
    return Diagnostic(subject, Health.ERROR, found, remedy)
