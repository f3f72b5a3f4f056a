"""Where an array stands within a record, and the declaration that its elements are the rows.

Belongs here: the values, and the words of a contract for such a place. Cutting a record into its
elements belongs to `ingest.files.explode_records`. Imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

Level = str | None
"""A step on the way to an array: the key of an object, or None for the elements of an array."""


def levels_of(path: str) -> tuple[Level, ...]:
    """The steps to the elements of an array, in the words of a contract: `data`, `pages[].data`;
    empty for a top-level array.
    """
    steps: list[Level] = []
    for name in path.split(".") if path else ():
        key = name.rstrip("[]")
        steps += [key] if key else []
        steps += [None] * name.removeprefix(key).count("[]")
    return (*steps, None)


@dataclass(frozen=True)
class Explode:
    """Each element of an array within a record is a row of its own.

    `path` leads from the record to the array: `comments`, or `insights.data[].values` for the
    arrays within the elements of another one. A column reads from an element by its place in the
    record: `comments[].text`. A record whose array is empty has no rows. One without the array, or
    with null in its place, is rejected, or has no rows if it `may_be_absent`.
    """

    path: str
    may_be_absent: bool = False

    @property
    def levels(self) -> tuple[Level, ...]:
        """The steps from the record to the elements."""
        return levels_of(self.path.removesuffix("[]"))

    @property
    def element(self) -> str:
        """How a column's `source` names an element: `comments[]`."""
        return self.path.removesuffix("[]") + "[]"
