"""Finds ids in bytes: in records that no contract can read, and in fields that no contract names.

Belongs here: in which spellings an id can stand in a record, and where a word begins and ends. What
the columns of a contract say is compared by `forgotten_records`.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Collection, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.control.privacy.person import LONGEST_ID

DISTINCT_CHARACTERS = 8
"""An id of so many characters means the person wherever it stands. A shorter one, such as `42`, is
in records that have nothing to do with the person."""

LONGEST_SPELLING = 12 * LONGEST_ID + 2
"""The most bytes of an id in JSON, where a character can be two escapes, and of its neighbours."""

_IDS_AT_ONCE = 200
"""A pattern of more ids may not fit into the memory of RE2's automaton."""
_WORD = "[0-9A-Za-z_]"
# RE2 cannot look around: the characters beside a word are part of what matches.
_BEFORE, _AFTER = "(?:^|[^0-9A-Za-z_])", "(?:$|[^0-9A-Za-z_])"


class IdsInBytes:
    """Whether some bytes have one of these ids as a whole word."""

    def __init__(self, ids: Collection[str]) -> None:
        self._spelled = sorted({each for id_ in ids for each in spellings(id_)})
        self.patterns = [
            _BEFORE + _any_of(self._spelled[at : at + _IDS_AT_ONCE]) + _AFTER
            for at in range(0, len(self._spelled), _IDS_AT_ONCE)
        ]
        """In the syntax of RE2: a text has an id if one of them matches."""

    def mask(self, values: pa.Array | pa.ChunkedArray) -> pa.BooleanArray:
        """One value for each of an array of bytes or texts; null has no id."""
        found = pa.array(np.zeros(len(values), np.bool_))
        for pattern in self.patterns:
            matched = pc.match_substring_regex(values, pattern)
            if isinstance(matched, pa.ChunkedArray):
                matched = matched.combine_chunks()
            found = pc.or_(found, pc.fill_null(matched, False))
        return found

    def is_in(self, content: bytes) -> bool:
        """Whether the content of a file has one of the ids."""
        return bool(self.mask(pa.array([content], pa.large_binary())).true_count)

    def spans(self, content: bytes | mmap.mmap) -> Iterator[tuple[int, int]]:
        """Where the ids stand in the content of a file: begin and end of each."""
        if not self._spelled:
            return
        pattern = f"(?<!{_WORD}){_any_of(self._spelled)}(?!{_WORD})"
        for match in re.finditer(pattern.encode(), content):
            yield match.span()


def spellings(id_: str) -> set[str]:
    """How an id can be written in JSON and CSV."""
    in_json = json.dumps(id_)[1:-1]
    written = {id_, in_json, json.dumps(id_, ensure_ascii=False)[1:-1], id_.replace('"', '""')}
    return written | {each.replace("/", "\\/") for each in written}


def _any_of(spelled: Collection[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, spelled))})"
