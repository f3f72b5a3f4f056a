"""What one pass over all places has deleted, and what is left: the proof of a deletion request.

Belongs here: the values, and their JSON in the operational store. They name no person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from social_assets.control.privacy.person import Person
from social_assets.pipeline.privacy.erase_persons import Erased
from social_assets.pipeline.privacy.home_files import Remainder


@dataclass(frozen=True)
class DeletionReport:
    """`requests` were done together; `records` are records of raw, by stream; `days` by stream.

    `ids_of_others` were not looked for outside of streams: records of other platforms have them.
    `own_records` are those of one request, by stream, of all its passes.
    """

    run_id: str
    requests: int
    records: dict[str, int]
    days: dict[str, int]
    landed_files: int
    overwritten_files: int
    ids_of_others: int
    left: tuple[Remainder, ...]
    own_records: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        run_id: str,
        requests: int,
        erased: Sequence[Erased],
        *,
        landed_files: int,
        overwritten_files: int,
        ids_of_others: int,
        left: Sequence[Remainder],
    ) -> DeletionReport:
        """The report of a pass; streams without records of the persons are left out."""
        touched = [each for each in erased if each.days]
        return cls(
            run_id,
            requests,
            {each.stream: each.records for each in touched},
            {each.stream: len(each.days) for each in touched},
            landed_files,
            overwritten_files,
            ids_of_others,
            tuple(sorted(left)),
        )

    @classmethod
    def of_json(cls, text: str) -> DeletionReport:
        """The report that `as_json` wrote."""
        stored = json.loads(text)
        left = tuple(Remainder(**each) for each in stored.pop("left"))
        return cls(left=left, **stored)

    def of_request(
        self, person: Person, erased: Sequence[Erased], before: str | None
    ) -> DeletionReport:
        """The report of one of the requests; `before` is the one that its last pass stored."""
        own = {each.stream: each.by_person.get(person, 0) for each in erased}
        known = {} if before is None else DeletionReport.of_json(before).own_records
        counts = {stream: n for stream, n in _sums(known, own).items() if n}
        return replace(self, own_records=counts)

    def after(self, first: DeletionReport) -> DeletionReport:
        """The report of a second pass over the same requests, with what the first one deleted."""
        return replace(
            self,
            records=_sums(first.records, self.records),
            days=_sums(first.days, self.days),
            landed_files=first.landed_files + self.landed_files,
            overwritten_files=max(first.overwritten_files, self.overwritten_files),
        )

    def as_json(self) -> str:
        """The text that the operational store keeps."""
        return json.dumps(asdict(self), sort_keys=True)


def _sums(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: first.get(name, 0) + second.get(name, 0) for name in sorted({*first, *second})}
