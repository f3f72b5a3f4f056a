r"""Which lines of a CSV file make a record: RFC 4180, with recovery from stray quotes.

Here belongs the grouping of lines, without a Python step for each of them. What the fields of a
record are, and whether it is accepted, is decided by `transform.decode`.

A line that leaves a quoted field open goes on in the next line, until a line closes the field. The
count of quotes tells both: a doubled quote adds two. A line with an odd count that does not open
its quote at the begin of a field (`5" pipe`) opens nothing. If a quote is never closed, the record
would end at the next line that opens one: at a quote with a delimiter before and text after it.
The line with the unclosed quote is then a record of its own, to be rejected, and the next line
begins another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from social_assets.ingest.files.lines import NEWLINE, SplitBlock, records_between

_RETURN = ord("\r")
_MOST_PASSES = 16
"""Each pass finds unclosed quotes that the one before has hidden; two are enough as a rule."""

Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]


class CsvRecords:
    """Cuts the lines of one CSV file into records."""

    def __init__(self, max_record_bytes: int, delimiter: str = ",", quote: str = '"') -> None:
        """Of a delimiter and a quote of one ASCII character each."""
        self._max_bytes = max_record_bytes
        self._marks = ord(delimiter), ord(quote)

    def split(self, data: bytes, first_line: int, *, is_last: bool) -> SplitBlock:
        """The records that end in `data`; where a quoted field is open at the end, more is needed.

        A field that stays open for longer than a record may be is taken for a stray quote.
        """
        lines = _Lines.of(data, *self._marks)
        ends = self._ends(data, lines, is_last=is_last)
        if not len(ends):
            return SplitBlock(records_between(data, ends, ends, self._max_bytes), 0, 0)
        begins = np.concatenate([[0], ends[:-1] + 1])
        records = records_between(data, lines.newlines[ends], begins + first_line, self._max_bytes)
        return SplitBlock(records, int(lines.newlines[ends[-1]]) + 1, int(ends[-1]) + 1)

    def _ends(self, data: bytes, lines: _Lines, *, is_last: bool) -> Positions:
        """The numbers of the lines with which a record ends."""
        for _ in range(_MOST_PASSES):
            ends = np.flatnonzero(~lines.is_open_after())
            unclosed = self._unclosed(lines, ends)
            begin = int(ends[-1]) + 1 if len(ends) else 0
            if begin < len(lines.newlines):
                open_bytes = len(data) - int(lines.begins(np.array([begin]))[0])
                if is_last or open_bytes > self._max_bytes:
                    unclosed = np.append(unclosed, begin)
            if not len(unclosed):
                return ends
            lines = lines.with_stray(unclosed)
        # What is open now is cut into its lines: none of them is accepted for a record.
        return np.concatenate([ends, np.arange(begin, len(lines.newlines))])

    def _unclosed(self, lines: _Lines, ends: Positions) -> Positions:
        """First lines of those records that go on only since a quote is not closed."""
        firsts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
        size = lines.newlines[ends] - lines.begins(firsts)
        is_runaway = lines.begins_a_field[ends] | (size > self._max_bytes)
        unclosed: Positions = firsts[(ends > firsts) & is_runaway]
        return unclosed


@dataclass(frozen=True)
class _Lines:
    """The lines of a piece of data, and what their quotes do, by line.

    `toggles`: an odd count of quotes, the first of which opens a field. `stray`: an odd count, but
    no field opens; such a line can only close one. `begins_a_field`: it opens a field, and text
    follows the quote.
    """

    newlines: Positions
    toggles: Flags
    stray: Flags
    begins_a_field: Flags

    @classmethod
    def of(cls, data: bytes, delimiter: int, quote: int) -> _Lines:
        buffer = np.frombuffer(data, np.uint8)
        newlines = np.flatnonzero(buffer == NEWLINE)
        quotes = np.flatnonzero(buffer == quote)
        count = len(newlines)
        if not len(quotes):
            none = np.zeros(count, bool)
            return cls(newlines, none, none, none)
        line = np.searchsorted(newlines, quotes)
        counts = np.bincount(line, minlength=count)
        # Counted from 0 within its line: an even one opens, unless it doubles the one before.
        number = np.arange(len(quotes)) - (np.cumsum(counts) - counts)[line]
        is_doubled = (number > 0) & (np.diff(quotes, prepend=-2) == 1)
        opens = (number % 2 == 0) & ~is_doubled
        before = np.where(quotes > 0, buffer[quotes - 1], NEWLINE)
        at_begin = (before == delimiter) | (before == NEWLINE)
        strays = np.greater(np.bincount(line[opens & ~at_begin], minlength=count), 0)
        is_odd = np.equal(counts % 2, 1)
        last = np.zeros(count, np.int64)
        last[line[opens]] = quotes[opens]
        after = buffer[last + 1]
        has_text = (after != delimiter) & (after != NEWLINE) & (after != _RETURN)
        toggles = is_odd & ~strays
        return cls(newlines, toggles, is_odd & strays, toggles & has_text)

    def begins(self, lines: Positions) -> Positions:
        """Where these lines begin."""
        before: Positions = np.where(lines > 0, self.newlines[lines - 1] + 1, 0)
        return before

    def with_stray(self, lines: Positions) -> _Lines:
        """With these lines opening nothing."""
        toggles, stray = self.toggles.copy(), self.stray.copy()
        toggles[lines], stray[lines] = False, True
        return replace(self, toggles=toggles, stray=stray)

    def is_open_after(self) -> Flags:
        """Whether a quoted field goes on after each line."""
        toggled = np.cumsum(self.toggles)
        at_stray = np.maximum.accumulate(np.where(self.stray, toggled, 0))
        is_open: Flags = np.equal((toggled - at_stray) % 2, 1)
        return is_open
