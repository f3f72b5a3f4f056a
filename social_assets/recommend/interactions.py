"""Makes the interaction matrix from the warehouse: the weights of a user's reactions to a post.

Belongs here: the query, the cut between the days that models learn from and those that evaluate
them, and the matrix's folder. The weight of an engagement belongs to the stream's contract;
building a matrix belongs to `recsys`.

Items are posts, with the users who engaged with them; on request also videos (`videos`), with the
users who watched them. A user is the same person in both, by the star schema.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from social_assets.contracts.column import DEFAULTS
from social_assets.contracts.engagement_events import HALF_LIFE, LARGEST_VALUE, METRIC_WEIGHTS
from social_assets.recommend.errors import RecommendError
from social_assets.recommend.videos import (
    ONLY_USERS,
    VIDEO_FACT,
    VIDEOS,
    WATCHED_VIDEOS,
    WATCHING,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

    from recsys import InteractionMatrix
    from recsys.scoring.ranking import Float64

FACT, USERS, POSTS = "star.fact_engagement", "star.dim_user", "star.dim_post"

TESTED_SHARE = 0.15
"""Models are evaluated on the last days that hold this share of the events: 3 days of 14."""

_ONE_DAY = timedelta(days=1)
_AGES = "ages.npz"

_COUNTS = """metric_type IN {metrics:Array(String)}
        AND user_key != MD5({unknown:String})
        AND post_key != MD5({unknown:String})"""

_NEWEST_DAY = f"SELECT max(event_date) FROM {FACT} WHERE {_COUNTS}"

# Weights are summed as decimals, so that every order gives the same sum. The decay depends only on
# the day, and is multiplied once for a day, user and post. A reaction of `weighed_on` has its full
# weight, a later one has more.
_INTERACTIONS = f"""
SELECT
    users.user_id AS user_id,
    posts.post_id AS item_id,
    reactions.oldest AS event_time,
    toFloat64(reactions.points)
        * exp2(
            -dateDiff('day', reactions.event_date, {{weighed_on:Date}}) / {{half_life_days:Float64}}
        ) AS weight,
    reactions.events AS events,
    reactions.newest AS newest
FROM (
    SELECT
        user_key,
        post_key,
        event_date,
        sum(toDecimal64(
            least(value, {{largest_value:Float64}})
                * transform(metric_type, {{metrics:Array(String)}}, {{weights:Array(Float64)}}, 0.),
            6
        )) AS points,
        count() AS events,
        min(event_time) AS oldest,
        max(event_time) AS newest
    FROM {FACT}
    WHERE event_date >= {{from_day:Date}}
        AND {ONLY_USERS}
        AND {_COUNTS}
    GROUP BY user_key, post_key, event_date
) AS reactions
LEFT ANY JOIN (SELECT user_key, user_id FROM {USERS}) AS users
    ON reactions.user_key = users.user_key
LEFT ANY JOIN (SELECT post_key, post_id FROM {POSTS}) AS posts
    ON reactions.post_key = posts.post_key
"""

_WEIGHING: dict[str, Any] = {
    "half_life_days": HALF_LIFE / _ONE_DAY,
    "largest_value": LARGEST_VALUE,
    "metrics": list(METRIC_WEIGHTS),
    "weights": list(METRIC_WEIGHTS.values()),
    "unknown": DEFAULTS["string"],
}


@dataclass(frozen=True)
class Window:
    """The window that was read: events in [start, end), of which those from `cut` on are for
    evaluation; with videos, or without.

    `unresolved_events` belong to users or posts that are not in their dimension; they are left out.
    The other counts are those of `recsys.Split`.
    """

    start: datetime
    cut: datetime
    end: datetime
    newest_event: datetime
    events: int
    unresolved_events: int
    new_user_rows: int
    new_item_rows: int
    repeated_pairs: int
    videos: bool = False

    def __str__(self) -> str:
        last = self.end - _ONE_DAY
        return f"{self.start:%Y-%m-%d} to {last:%Y-%m-%d}, evaluated from {self.cut:%Y-%m-%d}"

    def to_json(self) -> str:
        """The window as JSON values, with times in ISO 8601."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote."""
        values = json.loads(text)
        for name in ("start", "cut", "end", "newest_event"):
            values[name] = datetime.fromisoformat(values[name])
        return cls(**values)


# The posts of the window: those with reactions, and new ones. A post that is known only from
# reactions has no text.
_TEXTS = f"""
SELECT
    post_id AS item_id,
    trimBoth(concat(
        if(content = {{unknown:String}}, '', content), ' ', arrayStringConcat(tags, ' ')
    )) AS text
FROM {POSTS}
WHERE last_seen_at >= {{from_day:Date}}
    AND post_id != {{unknown:String}}
"""


@dataclass(frozen=True)
class Interactions:
    """The matrix: `train` and `test` share id maps; `whole` has the users and items of both.

    `ages` float64 is the number of days from the first reaction to each item of `train` to the cut.
    `texts` is a pa.Table of item_id and text, for posts that have one.
    """

    version: str
    window: Window
    train: InteractionMatrix
    test: InteractionMatrix
    whole: InteractionMatrix
    ages: Float64
    texts: pa.Table

    def texts_of(self, items: Any) -> list[str | None]:
        """The text of each of these ids, None if it has none."""
        import pyarrow.compute as pc

        places = pc.index_in(items, value_set=self.texts["item_id"].combine_chunks())
        found: list[str | None] = self.texts["text"].take(places).to_pylist()
        return found

    def with_posts_of_no_one(self) -> Self:
        """The same with all posts that have a text, including posts without reactions."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from recsys.matrix import sorted_ids

        def wide(items: Any) -> Any:
            return sorted_ids(pa.chunked_array([items, *self.texts["item_id"].chunks]))

        evaluated, all_items = wide(self.train.items), wide(self.whole.items)
        ages = np.full(len(evaluated), np.nan)
        there = pc.is_in(evaluated, value_set=self.train.items)
        ages[there.to_numpy(zero_copy_only=False)] = self.ages
        return replace(
            self,
            train=self.train.over(evaluated),
            test=self.test.over(evaluated),
            whole=self.whole.over(all_items),
            ages=ages,
        )

    def save(self, folder: Path) -> None:
        """Write a new folder, whole or not at all."""
        import pyarrow.parquet as pq

        from recsys.registry.files import new_folder, npz_bytes

        with new_folder(folder) as place:
            pq.write_table(self.texts, place / "texts.parquet", compression="zstd")
            self.train.save(place / "train")
            self.test.save(place / "test")
            self.whole.save(place / "whole")
            (place / _AGES).write_bytes(npz_bytes({"days": self.ages}))
            (place / "window.json").write_text(self.window.to_json())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        import numpy as np
        import pyarrow.parquet as pq

        from recsys import InteractionMatrix
        from recsys.registry.files import parse_npz

        ages = folder / _AGES
        return cls(
            version=folder.name,
            window=Window.from_json((folder / "window.json").read_text()),
            train=InteractionMatrix.load(folder / "train"),
            test=InteractionMatrix.load(folder / "test"),
            whole=InteractionMatrix.load(folder / "whole"),
            ages=parse_npz(ages.read_bytes(), str(ages), {"days": np.float64})["days"],
            texts=pq.read_table(folder / "texts.parquet"),
        )


def query_interactions(client: Client, window_days: int, videos: bool = False) -> pa.Table:
    """Read the reactions of users to posts in the last days: a row for each user, post and day,
    with the time of the first of them. With `videos`, also what they watched in the window of the
    posts.

    Raises RecommendError if the warehouse has no tables, or no such events yet.
    """
    _require_tables(client, videos)
    first, newest = _days(client, window_days)
    return _read(client, first, newest, videos)


def read_interactions_since(
    client: Client, start: datetime, end: datetime, videos: bool = False
) -> pa.Table:
    """Read a window [start, end) again, with everything since then, in the weights of that time:
    unchanged histories have the same bytes.
    """
    _require_tables(client, videos)
    last = end - _ONE_DAY
    return resolved(_read(client, start.date(), last.date(), videos))


def read_interactions_of(
    client: Client, users: Sequence[str], start: datetime, end: datetime, videos: bool = False
) -> pa.Table:
    """As `read_interactions_since`, for some users, who may have none."""
    last = end - _ONE_DAY
    return resolved(_rows(client, start.date(), last.date(), videos, users))


def resolved(rows: pa.Table) -> pa.Table:
    """The rows whose user and post are in their dimensions."""
    import pyarrow.compute as pc

    return rows.filter(pc.and_(pc.is_valid(rows["user_id"]), pc.is_valid(rows["item_id"])))


def _days(client: Client, window_days: int) -> tuple[date, date]:
    """The first and last day of a window that ends with the newest reaction."""
    [(newest,)] = client.query(_NEWEST_DAY, parameters=_WEIGHING).result_rows
    return max(newest - (window_days - 1) * _ONE_DAY, date(1970, 1, 1)), newest


def _rows(
    client: Client, from_day: date, weighed_on: date, videos: bool, users: Sequence[str] = ()
) -> pa.Table:
    """Without users, the rows of all."""
    days = {"from_day": from_day, "weighed_on": weighed_on, "only_users": list(users)}
    rows: pa.Table = client.query_arrow(
        f"{_INTERACTIONS} UNION ALL {WATCHED_VIDEOS}" if videos else _INTERACTIONS,
        parameters={**_WEIGHING, **WATCHING, **days},
        settings={"join_use_nulls": 1},
        use_strings=True,
    )
    return rows


def _read(client: Client, from_day: date, weighed_on: date, videos: bool) -> pa.Table:
    rows = _rows(client, from_day, weighed_on, videos)
    if rows.num_rows == 0:
        raise RecommendError(
            f"{FACT} has no reaction of a known user to a post ({', '.join(METRIC_WEIGHTS)}): load"
            " engagement_events first, for example with `social-assets load` or `make demo`",
        )
    return rows


def read_texts(client: Client, window_days: int) -> pa.Table:
    """The text of every post of the window, with its tags: item_id and text, ordered by item_id."""
    first, _ = _days(client, window_days)
    texts: pa.Table = client.query_arrow(
        f"SELECT * FROM ({_TEXTS}) WHERE text != '' ORDER BY item_id",
        parameters={"from_day": first, "unknown": DEFAULTS["string"]},
        use_strings=True,
    )
    return texts


def split_interactions(
    rows: pa.Table, texts: pa.Table, version: str, videos: bool = False
) -> Interactions:
    """Make the matrices of interactions before the cut, after it, and both; `videos` says if they
    were read.

    Raises RecommendError if there is only one day, so that nothing remains for the evaluation.
    """
    import pyarrow.compute as pc

    from recsys import InteractionMatrix, temporal_split
    from recsys.evaluation.split import ages_of_items

    found = resolved(rows)
    start, cut, end = _window(found)
    split = temporal_split(found, cut)
    events, all_events = (pc.sum(table["events"]).as_py() or 0 for table in (found, rows))
    window = Window(
        start=start,
        cut=cut,
        end=end,
        newest_event=pc.max(found["newest"]).as_py(),
        events=events,
        unresolved_events=all_events - events,
        new_user_rows=split.new_user_rows,
        new_item_rows=split.new_item_rows,
        repeated_pairs=split.repeated_pairs,
        videos=videos,
    )
    whole = InteractionMatrix.from_table(found)
    ages = ages_of_items(found, split.train.items, cut)
    return Interactions(version, window, split.train, split.test, whole, ages, texts)


def _window(rows: Any) -> tuple[datetime, datetime, datetime]:
    """The window's start, cut and end: midnights in UTC."""
    import numpy as np
    import pyarrow.compute as pc

    from recsys.matrix import event_times

    by_day = rows.append_column("day", pc.floor_temporal(event_times(rows), unit="day"))
    days = by_day.group_by("day").aggregate([("events", "sum")]).sort_by("day")
    dates = [day.astimezone(UTC) for day in days["day"].to_pylist()]
    if len(dates) < 2:
        found = f"only {dates[0]:%Y-%m-%d}" if dates else "none"
        raise RecommendError(
            f"models learn from some days and are evaluated by later ones, but {FACT} has reactions"
            f" of {found}: load engagement_events of another day",
        )
    events = days["events_sum"].to_numpy()
    share_from = np.cumsum(events[::-1])[::-1] / events.sum()
    last_enough = int(np.flatnonzero(share_from >= TESTED_SHARE)[-1])
    return dates[0], dates[max(1, last_enough)], dates[-1] + _ONE_DAY


def _require_tables(client: Client, videos: bool) -> None:
    needed = (FACT, USERS, POSTS, *((VIDEO_FACT, VIDEOS) if videos else ()))
    present = client.query(
        "SELECT concat(database, '.', name) FROM system.tables WHERE database = 'star'"
    ).result_rows
    missing = [table for table in needed if (table,) not in {tuple(row) for row in present}]
    if missing:
        raise RecommendError(
            f"the warehouse has no {', '.join(missing)} yet: materialize"
            f" {', '.join(table.replace('.', '/') for table in missing)}, or load data with"
            " `social-assets load` or `make demo`",
        )
