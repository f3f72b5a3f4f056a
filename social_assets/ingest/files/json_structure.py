"""Where the brackets, keys and elements of many JSON texts stand, found for all of them at once.

Belongs here: places in the bytes of a batch of records, without a Python step for each record. What
is made of them belongs to `explode_records`. A text that is no JSON object may give any places
within it, as nothing but brackets, quotes and commas is looked at; one whose brackets or quotes do
not match gives none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from social_assets.ingest.files.json_documents import Positions, unescaped

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_QUOTE, _COMMA, _COLON = ord('"'), ord(","), ord(":")
_OBJECT, _ARRAY = ord("{"), ord("[")
_OPENS, _CLOSES = ord("{"), ord("}")
"""Of both kinds of bracket, after the bit in which they differ is set."""
_IS_BLANK = np.isin(np.arange(256), list(b" \t\r\n"))
NONE = -1
"""The place of what is not there."""


@dataclass(frozen=True)
class Values:
    """JSON values in the order of their places: where each begins, and where the bracket stands
    that closes it (-1 for a value without brackets).
    """

    begins: Positions
    closes: Positions

    def of(self, chosen: Mask | Positions) -> Values:
        """Some of the values, by a mask or by their numbers."""
        return Values(self.begins[chosen], self.closes[chosen])


@dataclass(frozen=True)
class Elements:
    """The elements of arrays: which array each is of, its span without blanks, its value."""

    arrays: Positions
    begins: Positions
    ends: Positions
    values: Values


@dataclass(frozen=True)
class Structure:
    """The structure of the texts of `buffer`, which stand between `begins` and `ends`.

    `is_object` tells which of them open with a brace and have matching brackets and quotes; the
    other members are of these: the places of brackets and commas, the depth after each, the
    brackets that open with those that close them, and the quotes that open strings.
    """

    buffer: Bytes
    begins: Positions
    ends: Positions
    is_object: Mask
    places: Positions
    kinds: Bytes
    depths: Positions
    opens: Positions
    closes: Positions
    strings: Positions

    def objects(self) -> Values:
        """The texts that are objects, as values."""
        return self.values_at(_after_blanks(self.buffer, self.begins[self.is_object]))

    def members(self, objects: Values, key: str, depth: int) -> Positions:
        """Where the value of a key begins in each of `objects`, which are at `depth`; -1 without
        such a key, or where a value is no object. Of a repeated key the first one counts.
        """
        wanted = f'"{key}"'.encode()
        found = self.strings[self.strings + len(wanted) <= len(self.buffer)]
        for place, byte in enumerate(wanted):
            found = found[self.buffer[found + place] == byte]
        colons = _after_blanks(self.buffer, found + len(wanted))
        is_key = self.buffer[colons] == _COLON
        found, colons = found[is_key], colons[is_key]
        owner = np.searchsorted(objects.begins, found, "right") - 1
        is_member = self._is_within(objects, owner, found, depth)
        owner, colons = owner[is_member], colons[is_member]
        is_member = self.buffer[objects.begins[owner]] == _OBJECT
        owner, first = np.unique(owner[is_member], return_index=True)
        begins = np.full(len(objects.begins), NONE)
        begins[owner] = _after_blanks(self.buffer, colons[is_member][first] + 1)
        return begins

    def elements(self, arrays: Values, depth: int) -> Elements:
        """The elements of arrays, which are at `depth`; an empty array has none."""
        is_comma = (self.kinds == _COMMA) & (self.depths == depth)
        commas = self.places[is_comma]
        owner = np.searchsorted(arrays.begins, commas, "right") - 1
        commas = commas[self._is_within(arrays, owner, commas, depth)]
        lefts = np.sort(np.concatenate([arrays.begins, commas]))
        rights = np.sort(np.concatenate([commas, arrays.closes]))
        owner = np.searchsorted(arrays.begins, lefts, "right") - 1
        begins = np.minimum(_after_blanks(self.buffer, lefts + 1), rights)
        ends = rights.copy()
        while (trails := (begins < ends) & _IS_BLANK[self.buffer[ends - 1]]).any():
            ends -= trails
        counts = np.bincount(owner, minlength=len(arrays.begins))
        is_one = (begins < ends) | (counts[owner] > 1)
        owner, begins, ends = owner[is_one], begins[is_one], ends[is_one]
        return Elements(owner, begins, ends, self.values_at(begins))

    def is_array(self, values: Values) -> Mask:
        """Whether each value is an array."""
        found: Mask = (self.buffer[values.begins] == _ARRAY) & (values.closes != NONE)
        return found

    def is_object_at(self, values: Values) -> Mask:
        """Whether each value is an object."""
        found: Mask = (self.buffer[values.begins] == _OBJECT) & (values.closes != NONE)
        return found

    def is_null(self, begins: Positions) -> Mask:
        """Whether a null begins at each of these places."""
        found = np.ones(len(begins), bool)
        for place, byte in enumerate(b"null"):
            found &= self.buffer[np.minimum(begins + place, len(self.buffer) - 1)] == byte
        return found

    def values_at(self, begins: Positions) -> Values:
        """The values that begin at these places."""
        closes = np.full(len(begins), NONE)
        if len(self.opens):
            at = np.minimum(np.searchsorted(self.opens, begins), len(self.opens) - 1)
            is_open = self.opens[at] == begins
            closes[is_open] = self.closes[at[is_open]]
        return Values(begins, closes)

    def _is_within(self, values: Values, owner: Positions, found: Positions, depth: int) -> Mask:
        """Whether each place is directly in the value that is its `owner` by number."""
        if not len(values.begins):
            return np.zeros(len(found), bool)
        before = np.searchsorted(self.places, found, "right") - 1
        is_within: Mask = (owner >= 0) & (found < values.closes[owner])
        is_within &= self.depths[before] == depth
        return is_within


def structure_of(texts: pa.BinaryArray) -> Structure:
    """The structure of JSON texts, none of which is empty."""
    _, offsets, data = texts.buffers()
    limits = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    buffer = np.frombuffer(data, np.uint8)[limits[0] : limits[-1]]
    limits = (limits - limits[0]).astype(np.int64)
    begins, ends = limits[:-1], limits[1:]
    quotes = unescaped(np.flatnonzero(buffer == _QUOTE), buffer)
    first_quote, end_quote = np.searchsorted(quotes, begins), np.searchsorted(quotes, ends)
    # `[` and `{` differ in one bit, as `]` and `}` do.
    folded = buffer | 0x20
    places = np.flatnonzero((buffer == _COMMA) | (folded == _OPENS) | (folded == _CLOSES))
    text = np.searchsorted(ends, places, "right")
    is_outside = (np.searchsorted(quotes, places) - first_quote[text]) % 2 == 0
    places, text = places[is_outside], text[is_outside]
    kinds = folded[places]
    steps = (kinds == _OPENS).astype(np.int64) - (kinds == _CLOSES)
    total = np.concatenate([[0], np.cumsum(steps)])
    first, end = np.searchsorted(places, begins), np.searchsorted(places, ends)
    depths = total[1:] - total[first][text]
    is_object = (total[end] == total[first]) & ((end_quote - first_quote) % 2 == 0)
    is_object &= buffer[_after_blanks(buffer, begins)] == _OBJECT
    is_object[text[depths < 0]] = False
    kept = is_object[text]
    places, kinds, depths = places[kept], kinds[kept], depths[kept]
    opens, closes = _pairs(places, kinds, depths)
    of_text = np.searchsorted(ends, quotes, "right")
    opening = (np.arange(len(quotes)) - first_quote[of_text]) % 2 == 0
    strings = quotes[opening & is_object[of_text]]
    return Structure(buffer, begins, ends, is_object, places, kinds, depths, opens, closes, strings)


def _pairs(places: Positions, kinds: Bytes, depths: Positions) -> tuple[Positions, Positions]:
    """The brackets that open, in their order, and those that close them."""
    is_bracket = kinds != _COMMA
    brackets, kinds, depths = places[is_bracket], kinds[is_bracket], depths[is_bracket]
    # On each level, a bracket that opens is followed by the one that closes it.
    level = depths + (kinds == _CLOSES)
    order = np.argsort(level, kind="stable")
    opens, closes = brackets[order[0::2]], brackets[order[1::2]]
    by_place = np.argsort(opens)
    return opens[by_place], closes[by_place]


def _after_blanks(buffer: Bytes, places: Positions) -> Positions:
    """The places of the next bytes that are no blanks."""
    last = len(buffer) - 1
    places = np.minimum(places, last)
    moving = np.flatnonzero(_IS_BLANK[buffer[places]])
    while len(moving):
        places[moving] += 1
        moving = moving[places[moving] <= last]
        moving = moving[_IS_BLANK[buffer[places[moving]]]]
    return np.minimum(places, last)
