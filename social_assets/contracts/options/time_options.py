"""Whether the time options of a contract can be read.

Belongs here: the names of time zones, and the directives of time formats. Reading times belongs to
`social_assets.transform.values.times`.
"""

from __future__ import annotations

import re
from zoneinfo import available_timezones

_DIRECTIVES = frozenset("aAbBdmyYHIpMSfgnjUWzZGuVwc%") | {f"-{each}" for each in "dmyHIMSj"}
"""Those that DuckDB reads."""


def is_time_zone(name: str) -> bool:
    """Whether the IANA database has a time zone of that name."""
    return name in available_timezones()


def unknown_directive(time_format: str) -> str | None:
    """What is wrong with a format of `strptime`; None if nothing."""
    found = re.findall(r"%(-?.?)", time_format)
    unknown = [f"%{each}" for each in found if each not in _DIRECTIVES]
    if unknown:
        return f"{', '.join(unknown)} is no directive"
    if not found:
        return "it has no directive"
    return None
