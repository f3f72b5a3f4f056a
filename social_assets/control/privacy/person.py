"""A person who asks to be forgotten: a platform's id, and what stands for it once it is deleted.

Belongs here: reading such names and hashing ids. The hash needs a salt that is secret, since many
ids are numbers, which could be tried one after the other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

LONGEST_ID = 200
_UNKNOWN = "Unknown"


class PersonNameError(ValueError):
    """A text names no person; the message says why."""


@dataclass(frozen=True, order=True)
class Person:
    """The id of a person on a platform, spelt as in the warehouse, or on all of them (None)."""

    id: str = field(repr=False)
    platform: str | None = None

    def __post_init__(self) -> None:
        if not self.id or self.id != self.id.strip() or not self.id.isprintable():
            raise PersonNameError(
                "the id is empty, or has blanks around it or characters that cannot be printed"
            )
        if len(self.id) > LONGEST_ID:
            raise PersonNameError(f"the id has more than {LONGEST_ID} characters")
        if self.id.casefold() == _UNKNOWN.casefold():
            raise PersonNameError("Unknown stands for every record without a person")

    @classmethod
    def parse(cls, text: str) -> Person:
        """Read PLATFORM:ID, or an ID of all platforms. Raises PersonNameError."""
        from social_assets.contracts.vocabulary import PLATFORM

        before, colon, after = text.partition(":")
        known = PLATFORM.lookup().get(before.strip().casefold())
        if colon and known is not None and known != _UNKNOWN:
            return cls(after, known)
        return cls(text)


def hash_of(salt: str, id_: str) -> str:
    """The 64 hex digits that stand for an id. `pipeline.privacy` computes the same in DuckDB."""
    return hashlib.sha256(f"{salt}:{id_}".encode()).hexdigest()
