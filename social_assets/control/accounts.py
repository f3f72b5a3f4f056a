"""An account as people name it: PLATFORM:ID, with the platform's own id as text.

Belongs here: reading and comparing such names. An id is never a number: it may have leading zeros.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

_LONGEST_ID = 200


class AccountNameError(ValueError):
    """A text names no account; the message says why."""


@dataclass(frozen=True, order=True)
class Account:
    """One account of one platform. The platform is spelt as in the warehouse: `Instagram`."""

    platform: str
    account_id: str

    def __post_init__(self) -> None:
        for value in (self.platform, self.account_id):
            if not value or value != value.strip() or not value.isprintable():
                raise AccountNameError(
                    f"{value!r} is no platform or account id: it is empty, or has blanks around it "
                    "or characters that cannot be printed"
                )
        if len(self.account_id) > _LONGEST_ID:
            raise AccountNameError(f"the account id has more than {_LONGEST_ID} characters")

    @classmethod
    def parse(cls, text: str) -> Account:
        """Read PLATFORM:ID. Raises AccountNameError, also for a platform that no stream knows."""
        platform, colon, account_id = text.partition(":")
        if not colon:
            raise AccountNameError(f"{text!r} is not PLATFORM:ID, such as instagram:natgeo")
        return cls(_stored_platform(platform), account_id)

    def is_same(self, platform: str, account_id: str) -> bool:
        """Whether this is the account; the case of a platform's name does not matter."""
        return self.account_id == account_id and self.platform.casefold() == platform.casefold()

    def __str__(self) -> str:
        return f"{self.platform}:{self.account_id}"


def as_pairs(accounts: Collection[Account] | None) -> list[list[str]] | None:
    """A set of accounts as JSON; None, which means all, stays None."""
    if accounts is None:
        return None
    return [[account.platform, account.account_id] for account in sorted(accounts)]


def of_pairs(pairs: list[list[str]] | None) -> frozenset[Account] | None:
    """A set of accounts from JSON."""
    return None if pairs is None else frozenset(Account(*pair) for pair in pairs)


def _stored_platform(spelling: str) -> str:
    # Contracts take a second to import.
    from social_assets.contracts.vocabulary import PLATFORM

    known = PLATFORM.lookup()
    found = known.get(spelling.strip().casefold())
    if found is not None and found != "Unknown":
        return found
    names = sorted(name for name in PLATFORM.canonical if name != "Unknown")
    near = difflib.get_close_matches(spelling.casefold(), known, n=1)
    meant = f"did you mean {known[near[0]]}? " if near else ""
    raise AccountNameError(f"{spelling!r} is no platform: {meant}Known are {', '.join(names)}")
