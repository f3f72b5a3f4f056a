"""Identities as one text each: a platform and the id that the platform gives.

Belongs here: the two parts of the text. What is computed with the texts is in `persons`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATOR = "\0"
"""Stands between the two, and in no platform's name. It sorts before all other characters, so that
texts sort by platform and then by id."""


def parts_of(identities: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Platforms and ids of identities."""
    import pyarrow.compute as pc

    parts = pc.split_pattern(identities, SEPARATOR, max_splits=1)
    return pc.list_element(parts, 0), pc.list_element(parts, 1)
