"""Reads what people watch, and how addicted they say they are: the rows that models learn from.

Belongs here: the query, and which columns a model may read. It reads behaviour and setting. It does
not read other answers of the same people (self-control, satisfaction, loss of productivity): who
has not answered one question has answered none. Age, gender, income and place are not read either;
age group and gender are there to compare errors. Evaluation belongs to `evaluation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SOURCE = "cleaned.video_interactions"
RATED = "addiction_level"
NUMBERS = (
    *("total_time_spent", "number_of_sessions", "number_of_videos_watched", "scroll_rate"),
    *("video_length", "time_spent_on_video", "engagement", "importance_score", "hour"),
)
CATEGORIES = (
    *("platform", "video_category", "frequency", "watch_reason"),
    *("device_type", "os", "current_activity", "connection_type"),
)
GROUPS = ("gender", "age_group")
"""By which errors are compared; no model reads them."""

MOST_ROWS, MOST_DAYS = 100_000, 90
"""The newest rows are read, of the newest days: a fit takes seconds, and people change."""

_NEWEST = f"""
SELECT user_id, {RATED}, {", ".join((*NUMBERS, *CATEGORIES, *GROUPS))}
FROM {SOURCE}
WHERE event_date > (SELECT max(event_date) FROM {SOURCE}) - {MOST_DAYS}
ORDER BY event_date DESC, user_id, video_id
LIMIT {MOST_ROWS}
"""


@dataclass(frozen=True)
class WatchingRows:
    """One row for user, video and day. `inputs` float64[rows, columns] are `NUMBERS` (NaN for none)
    and then codes of `CATEGORIES`; `rated` float64[rows] is from 0 to 10; `users` int64[rows] are
    numbers of users; `groups` has an array of names for each of `GROUPS`.
    """

    inputs: NDArray[np.float64]
    rated: NDArray[np.float64]
    users: NDArray[np.int64]
    groups: dict[str, NDArray[np.object_]]

    def __len__(self) -> int:
        return len(self.rated)


def read_watching(client: Client) -> WatchingRows:
    """The newest rows. Their order does not depend on how ClickHouse has stored them."""
    columns = client.query_arrow(_NEWEST, use_strings=True)
    return watching_rows({name: columns[name] for name in columns.column_names})


def watching_rows(columns: Any) -> WatchingRows:
    """The rows of Arrow's columns by name."""
    import pyarrow.compute as pc

    def codes(name: str) -> NDArray[np.float64]:
        # By name, so that a code does not depend on which row is first.
        values = pc.fill_null(columns[name].cast("string"), "")
        found = np.unique(np.asarray(values.to_numpy(), dtype=str), return_inverse=True)[1]
        return found.astype(np.float64)

    def numbers(name: str) -> NDArray[np.float64]:
        found: NDArray[np.float64] = columns[name].cast("float64").to_numpy()
        return found

    return WatchingRows(
        inputs=np.column_stack([*map(numbers, NUMBERS), *map(codes, CATEGORIES)]),
        rated=numbers(RATED),
        users=codes("user_id").astype(np.int64),
        groups={name: columns[name].cast("string").to_numpy() for name in GROUPS},
    )
