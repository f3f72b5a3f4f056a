"""The persons whose requests are not done, and the patterns that find their ids.

Belongs here: which ids may be looked for where. Of persons whose requests are done only hashes are
known (`forgotten_records`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from social_assets.control.privacy.person import Person
from social_assets.pipeline.privacy.ids_in_bytes import DISTINCT_CHARACTERS, IdsInBytes


@dataclass(frozen=True)
class PersonIds:
    """Some persons, each an id of one platform or of all."""

    persons: frozenset[Person] = field(default=frozenset(), repr=False)

    @cached_property
    def ids(self) -> frozenset[str]:
        """Their ids, whatever the platform."""
        return frozenset(person.id for person in self.persons)

    @cached_property
    def anywhere(self) -> IdsInBytes:
        """Finds all of them."""
        return IdsInBytes(self.ids)

    @cached_property
    def distinct(self) -> IdsInBytes:
        """Finds those that mean the person wherever they stand."""
        return IdsInBytes([each for each in self.ids if len(each) >= DISTINCT_CHARACTERS])

    @cached_property
    def by_platform(self) -> Mapping[str | None, PersonIds]:
        """The persons of each platform; None: of all."""
        platforms = {person.platform for person in self.persons}
        return {
            platform: PersonIds(frozenset(p for p in self.persons if p.platform == platform))
            for platform in platforms
        }

    @cached_property
    def halves(self) -> tuple[PersonIds, PersonIds]:
        """The same persons, in two parts."""
        listed = sorted(self.persons, key=lambda each: (each.id, each.platform or ""))
        middle = len(listed) // 2
        return PersonIds(frozenset(listed[:middle])), PersonIds(frozenset(listed[middle:]))

    def without(self, ids: Collection[str]) -> PersonIds:
        """The persons but those with one of these ids."""
        return PersonIds(frozenset(each for each in self.persons if each.id not in ids))
