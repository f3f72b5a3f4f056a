"""Rows as aligned text for people, block by block, so that a result of any length fits in memory.

Belongs here: the layout. In a pipe nothing is folded or cut. On a terminal, text columns are folded
to its width, and figures never; if a row still does not fit, it is printed as one line a column.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from datetime import date, time
from decimal import Decimal

from rich.cells import cell_len, chop_cells

from social_assets.cli.printing.json_text import plain, text

_GAP = "  "
_MEASURED_ROWS = 1000
_LEAST_TEXT = 12
"""The least width of a folded text column."""

_WHOLE = (int, float, Decimal, date, time)
"""Values of these types are never folded."""


class RowTable:
    """Prints rows below their names; the first block determines the width of the columns."""

    def __init__(
        self, names: Sequence[str], width: int | None, write: Callable[[str], object]
    ) -> None:
        """`width` is that of the terminal; None means that nothing is folded."""
        self._names = [_cell(name) for name in names]
        self._width = width
        self._write = write
        self._widths: list[int] = []
        self._right: list[bool] = []
        self._is_begun = False
        self._is_upright = False
        self._rows = 0

    def add(self, rows: Sequence[Sequence[object]]) -> None:
        """Print more rows."""
        if not rows:
            return
        if not self._is_begun:
            self._begin(rows[:_MEASURED_ROWS])
        printed = self._upright if self._is_upright else self._line
        self._write("".join(printed([_cell(value) for value in row]) for row in rows))

    def end(self) -> None:
        """Print the names if no row came."""
        if not self._is_begun:
            self._begin([])

    def _begin(self, rows: Sequence[Sequence[object]]) -> None:
        self._is_begun = True
        columns = list(zip(*rows, strict=True)) if rows else [() for _ in self._names]
        natural, least = [], []
        for name, values in zip(self._names, columns, strict=True):
            widest = max([cell_len(name), *(cell_len(_cell(value)) for value in values)])
            is_whole = all(value is None or isinstance(value, _WHOLE) for value in values)
            whole = max((cell_len(_cell(v)) for v in values if isinstance(v, _WHOLE)), default=1)
            natural.append(widest)
            least.append(
                max(whole, min(cell_len(name), _LEAST_TEXT))
                if is_whole
                else max(whole, min(widest, _LEAST_TEXT))
            )
            self._right.append(
                bool(values)
                and all(v is None or isinstance(v, int | float | Decimal) for v in values)
                and not any(isinstance(v, bool) for v in values)
            )
        gaps = len(_GAP) * (len(natural) - 1)
        if self._width is None or sum(natural) + gaps <= self._width:
            self._widths = natural
        elif sum(least) + gaps <= self._width:
            self._widths = _shared(natural, least, self._width - gaps)
        else:
            self._is_upright = True
            return
        self._write(self._line(self._names))

    def _line(self, cells: Sequence[str]) -> str:
        """One row, with as many lines as its highest cell."""
        folded = [
            [cell] if self._width is None else _folded(cell, width)
            for cell, width in zip(cells, self._widths, strict=True)
        ]
        lines = []
        for number in range(max(map(len, folded), default=1)):
            parts = []
            for pieces, width, right in zip(folded, self._widths, self._right, strict=True):
                piece = pieces[number] if number < len(pieces) else ""
                blank = " " * (width - cell_len(piece))
                parts.append(blank + piece if right else piece + blank)
            lines.append(_GAP.join(parts).rstrip() + "\n")
        return "".join(lines)

    def _upright(self, cells: Sequence[str]) -> str:
        """One row, one line a column."""
        self._rows += 1
        longest = max(map(cell_len, self._names))
        head = f"-- {self._rows} --\n"
        return head + "".join(
            f"{name}{' ' * (longest - cell_len(name))}  {cell}".rstrip() + "\n"
            for name, cell in zip(self._names, cells, strict=True)
        )


def _folded(cell: str, width: int) -> list[str]:
    """Cut a cell to pieces of at most this width, between words if possible."""
    if cell_len(cell) <= width:
        return [cell]
    pieces = textwrap.wrap(cell, width, replace_whitespace=False, break_on_hyphens=False)
    return [chopped for piece in pieces for chopped in chop_cells(piece, width)]


def _shared(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit: narrow columns keep theirs, wide ones share the rest."""
    widths = list(least)
    spare = room - sum(widths)
    while spare > 0:
        wanting = [n for n, width in enumerate(widths) if width < natural[n]]
        if not wanting:
            break
        share = max(1, spare // len(wanting))
        for n in wanting:
            more = min(share, natural[n] - widths[n], spare)
            widths[n] += more
            spare -= more
    return widths


def _cell(value: object) -> str:
    """A value on one line; control characters, which could control the terminal, are escaped."""
    if value is None:
        return ""
    shown = str(plain(value)) if isinstance(value, list | tuple | dict) else text(value)
    return visible(shown)


def visible(line: str) -> str:
    """A text on one line, with what could control the terminal escaped."""
    return line if line.isprintable() else "".join(map(_visible, line))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
