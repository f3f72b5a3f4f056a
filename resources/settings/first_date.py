"""The first date of the installation: the earliest event date that validation accepts.

Belongs here: reading the setting. Where partitions begin belongs to `social_assets.defs`.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

from resources.settings.variables import FIRST_DATE

DEFAULT_FIRST_DATE = date(2013, 1, 1)
"""The earliest event date of an installation that does not set an earlier one. An earlier time is
mostly that of a clock that was not set."""

_EARLIEST = date(1970, 1, 1)
"""The first date of ClickHouse's type `Date`, which event dates have."""


class FirstDateError(ValueError):
    """The setting is not a date that a partition can have."""


def earliest_event_date() -> date:
    """The earliest event date that is accepted: the setting, if it is before the default."""
    return min(first_date_setting() or DEFAULT_FIRST_DATE, DEFAULT_FIRST_DATE)


def first_date_setting() -> date | None:
    """The date that the setting names; None if it is not set. Raises FirstDateError."""
    text = os.environ.get(FIRST_DATE)
    if not text:
        return None
    try:
        first = date.fromisoformat(text)
    except ValueError:
        raise FirstDateError(f"{FIRST_DATE} is {text!r}; it must be a date, YYYY-MM-DD") from None
    if first < _EARLIEST:
        raise FirstDateError(
            f"{FIRST_DATE} is {text}; no store holds event dates before {_EARLIEST}, so it must be "
            "that date or a later one"
        )
    if first > datetime.now(UTC).date():
        raise FirstDateError(f"{FIRST_DATE} is {text}, which lies in the future")
    return first
