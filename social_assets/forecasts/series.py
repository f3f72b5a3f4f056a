"""Series: what is forecast, at which steps of time, and the reading of a table as series.

Belongs here: the values and their checks. Which series there are belongs to `engagement`; how they
are forecast to `forecast`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from social_assets.metrics.grain import Grain

if TYPE_CHECKING:
    import pyarrow as pa

Values: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"


class SeriesError(ValueError):
    """A series can't be forecast; the text names the series, the reason and what to change."""


@dataclass(frozen=True)
class Rhythm:
    """The steps of series, and how far they are forecast and tested."""

    grain: Grain
    step: timedelta
    seasons: tuple[int, ...]
    """Lengths of seasons in steps; the first is that of seasonal naive."""
    horizon: int
    windows: int
    """The most windows of the backtest; each is as long as the horizon."""
    training: int
    """The fewest steps before the first window."""
    history: int
    """The most steps that are read."""

    def windows_of(self, steps: int) -> int:
        """The windows that a series of so many steps has room for."""
        return max(0, min(self.windows, (steps - self.training) // self.horizon))


DAILY = Rhythm(Grain.DAY, timedelta(days=1), (7,), 28, 3, 28, 182)
HOURLY = Rhythm(Grain.HOUR, timedelta(hours=1), (24, 168), 48, 5, 336, 672)


def series_of(rows: pa.Table, rhythm: Rhythm, end: datetime) -> Mapping[str, Values]:
    """The values of each series, up to the last step before `end`.

    `rows` has columns `series` (text), `time` (seconds since 1970, UTC) and `value`. Rows of one
    step are added. A step without a row is 0, since values are counts; so is a value that is not a
    number. A series begins with its first value above 0; one that has none is left out.

    Raises SeriesError for a value without an end.
    """
    import pyarrow.compute as pc

    if not rows.num_rows:
        return {}
    coded = pc.dictionary_encode(rows["series"]).combine_chunks()
    names = coded.dictionary.to_pylist()
    codes = coded.indices.to_numpy(zero_copy_only=False)
    values = pc.fill_null(rows["value"], 0.0).to_numpy().astype(np.float64)
    if np.isinf(values).any():
        name = names[codes[np.isinf(values)][0]]
        raise SeriesError(f"series {name!r} has an infinite value; correct the rows it is read of")
    seconds = rhythm.step // timedelta(seconds=1)
    first = int(end.astimezone(UTC).timestamp()) - rhythm.history * seconds
    steps = (rows["time"].to_numpy() - first) // seconds
    is_kept = (steps >= 0) & (steps < rhythm.history)
    matrix = np.zeros((len(names), rhythm.history))
    np.add.at(matrix, (codes[is_kept], steps[is_kept]), np.nan_to_num(values[is_kept]))
    is_known = matrix > 0
    begins = is_known.argmax(axis=1)
    return {
        name: matrix[number, begins[number] :]
        for number, name in enumerate(names)
        if is_known[number].any()
    }
