"""Refuses declarations of media that cannot work.

Belongs here: only what a contract's `media` may not say. The other reasons are in `refuse`.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING

from social_assets.contracts.column import Column
from social_assets.contracts.options.media import MEDIA_COLUMNS, Media
from social_assets.contracts.refusals.refuse_columns import RefusedError

if TYPE_CHECKING:
    from social_assets.contracts.contract import Contract


def refuse_media(contract: Contract, columns: Mapping[str, Column]) -> None:
    """Raise RefusedError if pictures cannot be fetched as the contract says."""
    media = contract.media

    def refuse(reason: str, remedy: str) -> typing.NoReturn:
        raise RefusedError(contract.name, "", reason, remedy)

    if media is None:
        return
    if not isinstance(media, Media):
        refuse(f"media is {media!r}", 'write media=Media("column")')
    if media.column not in columns or columns[media.column].type != "string":
        refuse(
            f"media names {media.column!r}, which is no column of texts",
            "name the column that holds the address of a picture",
        )
    if lacking := [name for name in MEDIA_COLUMNS if name not in columns]:
        refuse(f"media needs the column {lacking[0]}", "a picture is known by platform and post_id")
    if contract.event_time is None:
        refuse("media needs an event time", "name it: pictures are kept by the age of their post")
    if media.then not in ("delete", "archive"):
        refuse(f"then of media is {media.then!r}", 'write "delete" or "archive"')
    for option in ("keep_days", "most_bytes", "warn_above_bytes"):
        number = getattr(media, option)
        is_count = isinstance(number, int) and not isinstance(number, bool) and number > 0
        if not is_count and not (option == "keep_days" and number is None):
            refuse(f"{option} of media is {number!r}", "use a whole number of 1 or more")
