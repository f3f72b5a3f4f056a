"""Who asks: the person with the installation's token, or a program with an API key.

Belongs here: finding the caller of a request, and keeping verified keys for a moment. Keys belong
to `control.api_keys`, the token to `resources.web.token`; `gate` decides what a caller may reach.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from social_assets.control.accounts import Account
    from social_assets.control.api_keys import ApiKey, ApiKeys
    from social_assets.serving.store import Store

KEPT_SECONDS = 1.0
"""How long a verified key is believed without another look: a key that is revoked ends so soon."""

_MOST_KEPT = 10_000


@dataclass(frozen=True)
class Caller:
    """Who asks, and for which accounts."""

    name: str
    """For logs: `person`, or the id of a key."""
    accounts: frozenset[Account] | None
    """The accounts that it may see; None: all."""
    may_write: bool
    per_minute: int | None
    """Requests a minute; None: not limited."""
    scope: str
    """The same for callers that see the same accounts: what a cached answer is kept under."""
    is_admin: bool = False
    """Whether it may do what cannot be undone."""

    @property
    def sees_all(self) -> bool:
        """Whether no account is hidden from it."""
        return self.accounts is None

    def allows(self, platform: str, account_id: str) -> bool:
        """Whether it may see an account."""
        return self.accounts is None or any(
            each.is_same(platform, account_id) for each in self.accounts
        )


PERSON = Caller("person", None, may_write=True, per_minute=None, scope="", is_admin=True)
"""Whoever has the token of the installation."""


def caller_of(key: ApiKey) -> Caller:
    """The caller that shows a key."""
    from social_assets.control.api_keys import Role

    return Caller(
        key.id,
        key.accounts,
        key.may(Role.WRITE),
        key.per_minute,
        _scope_text(key.accounts),
        key.may(Role.ADMIN),
    )


class KeyRing:
    """Verifies keys against the store; a key that was right is believed for KEPT_SECONDS."""

    def __init__(self, keys: ApiKeys, store: Store) -> None:
        self._keys = keys
        self._store = store
        self._kept: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    def kept(self, text: str) -> Caller | None:
        """The caller of a key that was verified a moment ago."""
        # By its hash: the time of a look-up then tells nothing about a key.
        found = self._kept.get(_digest(text))
        return None if found is None or found[0] < time.monotonic() else found[1]

    async def verify(self, text: str) -> Caller | None:
        """The caller of a key; None if it is wrong, expired or revoked.

        Raises ProblemError if the store cannot be read.
        """
        if (caller := self.kept(text)) is not None:
            return caller
        key = await self._store.run(lambda: self._keys.verify(text))
        digest = _digest(text)
        self._kept.pop(digest, None)
        if key is None:
            return None
        caller = caller_of(key)
        self._kept[digest] = (time.monotonic() + KEPT_SECONDS, caller)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return caller


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _scope_text(accounts: frozenset[Account] | None) -> str:
    if accounts is None:
        return ""
    # Sorted: the order of a set of texts is another one in each process.
    listed = "\n".join(f"{each.platform}\t{each.account_id}" for each in sorted(accounts))
    return hashlib.sha256(listed.encode()).hexdigest()
