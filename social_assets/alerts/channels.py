"""Which channel an alert goes to: read from the environment, by owner and severity.

Here belongs what the variables mean:

    SOCIAL_ASSETS_ALERT_URLS                      what no variable of its owner takes
    SOCIAL_ASSETS_ALERT_URLS__TEAM_ENGAGEMENT     what `team:engagement` owns
    SOCIAL_ASSETS_ALERT_URLS__TEAM_ENGAGEMENT__ERROR   its errors
    SOCIAL_ASSETS_ALERT_URLS__ERROR, __WARN       all of that severity, in addition

Each holds Apprise URLs, separated by blanks, line breaks or commas. A URL is a secret, so a channel
is shown as the variable's name, the URL's position in it, and the kind of service.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from resources.settings.secret_urls import has_unescaped_password
from resources.settings.variables import ALERT_URLS
from social_assets.alerts.active import ActiveAlert

URLS = ALERT_URLS
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,19}", re.IGNORECASE)
_BEFORE_A_URL = re.compile(r"[\s,;]+(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)


class AlertUrlError(ValueError):
    """A variable holds something that is not a channel's URL; the text names only the variable."""


@dataclass(frozen=True)
class Channel:
    """One receiver of alerts. The same URL has the same `id`, whichever variable holds it."""

    id: str
    name: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Routing:
    """The channels by the suffix of the variable that names them: '' or 'TEAM_X', 'ERROR' ..."""

    by_suffix: Mapping[str, tuple[Channel, ...]]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Raises AlertUrlError naming the variable that holds no URL."""
        found = {
            name.removeprefix(URLS).removeprefix("__").upper(): _channels(name, value)
            for name, value in environment.items()
            if name == URLS or name.startswith(URLS + "__")
        }
        return cls({suffix: channels for suffix, channels in found.items() if channels})

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel, once, by the first name it has."""
        named = (c for suffix in sorted(self.by_suffix) for c in self.by_suffix[suffix])
        by_id: dict[str, Channel] = {}
        for channel in named:
            by_id.setdefault(channel.id, channel)
        return tuple(by_id.values())

    def of(self, failure: ActiveAlert) -> frozenset[str]:
        """The ids of the channels that a failure concerns."""
        owner, severity = variable_part(failure.owner), failure.severity.value
        owners = (owner, f"{owner}__{severity}") if owner else ()
        by_owner = [s for s in owners if s in self.by_suffix]
        suffixes = [*(by_owner or [""]), severity]
        return frozenset(c.id for s in suffixes for c in self.by_suffix.get(s, ()))


def variable_part(owner: str) -> str:
    """An owner as part of a variable's name: `team:engagement` -> `TEAM_ENGAGEMENT`."""
    return re.sub(r"[^A-Z0-9]+", "_", owner.upper()).strip("_")


def _channels(variable: str, value: str) -> tuple[Channel, ...]:
    urls = [url for url in _BEFORE_A_URL.split(value.strip()) if url]
    found = []
    for place, url in enumerate(urls, 1):
        scheme, separator, _ = url.partition("://")
        if not separator or not _SCHEME.fullmatch(scheme) or has_unescaped_password(url):
            raise AlertUrlError(
                f"{variable} holds something that is no URL; write Apprise URLs such as "
                "slack://... or mailto://..., separated by blanks, with / as %2F, # as %23 and ? "
                "as %3F in a password"
            )
        digest = hashlib.sha256(url.encode()).hexdigest()[:16]
        number = f" {place}" if len(urls) > 1 else ""
        found.append(Channel(digest, f"{scheme.lower()} of {variable}{number}", url))
    return tuple(found)
