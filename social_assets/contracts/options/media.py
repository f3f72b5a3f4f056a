"""The declaration that a column of a stream holds addresses of pictures, which are kept.

Belongs here: the column, bounds and lifecycle. Fetching belongs to `ingest.media`, the order of the
steps to `pipeline.media`. Imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MEDIA_COLUMNS = ("platform", "post_id")
"""A stream with media needs these columns: a picture is known by them and by its address."""


@dataclass(frozen=True)
class Media:
    """The pictures whose addresses are in `column`.

    A picture is kept until `keep_days` days after the event date of its post; None means for ever.
    Then it is deleted, or moved to the archive of the store. A picture of more than `most_bytes`
    is not fetched. If all files have more than `warn_above_bytes`, a check warns.
    """

    column: str
    keep_days: int | None = None
    then: Literal["delete", "archive"] = "delete"
    most_bytes: int = 8 << 20
    warn_above_bytes: int = 50 << 30
