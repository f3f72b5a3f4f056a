"""What answers mean: the rules by which a platform's errors are told apart.

Belongs here: the declared rules. Applying them belongs to `answers`. The same status means
different things on different platforms: 403 is throttling at Meta, an exhausted day at YouTube.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from social_assets.ingest.connectors.declaration.limits import Scope


class Meaning(Enum):
    """What the engine does about an answer."""

    GOOD = "good"
    THROTTLED = "throttled"
    """Too many calls: wait as the headers say, else longer each time."""
    QUOTA = "quota exhausted"
    """The budget of a day or month is used up: wait until its end, if the limit has one."""
    TRANSIENT = "transient"
    """A fault of the platform: ask again."""
    TOKEN_EXPIRED = "token expired"  # noqa: S105
    """Refresh the token once, and ask again."""
    TOKEN_REVOKED = "token revoked"  # noqa: S105
    """Only a person can help: pause the account."""
    BAD_METRIC = "bad metric"
    """One of the metrics is refused: ask again without it, and say so."""
    TOO_MUCH = "too much"
    """The page is too large for the platform: ask for half as many records, and say so."""
    NOTHING_HERE = "nothing here"
    """This post has none (comments disabled, too few viewers, deleted): go on without."""
    CURSOR_EXPIRED = "cursor expired"
    """Begin the chain again."""
    ACCOUNT_GONE = "account gone"
    ACCOUNT_PRIVATE = "account private"
    REFUSED = "refused"
    """The request itself is wrong: asking again does not help."""


@dataclass(frozen=True)
class AnswerRule:
    """An answer has a meaning if all of what is given here fits.

    `at` is a path in the body (`error.code`, `errors.0.reason`); its value, as text, must be one of
    `among`, and match the regular expression `like`. `without` is a path that must be absent.
    """

    meaning: Meaning
    status: frozenset[int] = frozenset()
    at: str = ""
    among: frozenset[str] = frozenset()
    like: str = ""
    without: str = ""
    scope: Scope = Scope.CREDENTIAL
    """For THROTTLED and QUOTA: whose calls must wait."""


def codes(*values: int | range | str) -> frozenset[str]:
    """Codes of errors as texts; a range gives all of its numbers."""
    return frozenset(
        str(code) for value in values for code in (value if isinstance(value, range) else (value,))
    )
