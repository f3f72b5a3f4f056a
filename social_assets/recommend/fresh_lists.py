"""Lists of users who have interactions that their served list does not have: by fold-in.

Belongs here: who they are, their histories, and the new lists, through the arrays of the published
model by NumPy alone. Between two refreshes of `recsys.top_n` a server asks for them every few
seconds. What all other users are served belongs to `top_n`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from social_assets.contracts.engagement_events import HALF_LIFE, METRIC_WEIGHTS
from social_assets.contracts.recommended.recommendation_feedback import CLICK
from social_assets.recommend.interactions import read_interactions_of
from social_assets.recommend.list_rules import ServedRules, current_lists
from social_assets.recommend.top_n import ITEMS_A_USER
from social_assets.recommend.videos import VIDEO_FACT

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

    from recsys import LoadedModel

SESSION = timedelta(hours=24)
"""Clicks on recommendations count for so long. They are folded in, and no model learns from them:
a service that wants this sends clicks as `engagement_events`."""

MARGIN = timedelta(minutes=10)
"""A list may lack reactions that the lake had so long before the list was made: a load was still
under way. Lists that lack none are not made again."""

_MOST_USERS = 20_000
"""Users with new interactions at a time; those with the newest ones first."""

MOST_FOLDED = 100
"""Folded interactions of a user that are told, the newest ones."""

_FRESH = """
SELECT user_id, max(ingested_at) AS newest
FROM cleaned.engagement_events
WHERE event_date >= {from_day:Date} AND ingested_at > {since:DateTime64(6, 'UTC')}
    AND metric_type IN {metrics:Array(String)}
GROUP BY user_id
ORDER BY newest DESC
LIMIT {most:UInt32}
"""

_STATE = """
SELECT count(), max(ingested_at)
FROM cleaned.engagement_events
WHERE event_date >= {from_day:Date} AND ingested_at > {since:DateTime64(6, 'UTC')}
"""

_CLICKS = """
SELECT user_id, item_id, max(happened_at) AS event_time
FROM cleaned.recommendation_feedback
WHERE event_date >= {from_day:Date} AND happened_at > {session:DateTime64(6, 'UTC')}
    AND kind = {click:String}
GROUP BY user_id, item_id
ORDER BY event_time DESC
LIMIT {most:UInt32}
"""


@dataclass(frozen=True)
class FreshLists:
    """New lists. `ranked` has user_id, rank, item_id, score, model_rank, by user; `folded` has
    user_id, item_id and event_time: what was folded in, newest first within a user.
    """

    ranked: pa.Table
    folded: pa.Table


def click_rows(clicks: list[tuple[str, str, datetime]]) -> pa.Table:
    """Clicks as a table of user_id, item_id, event_time."""
    import pyarrow as pa

    columns = zip(*clicks, strict=True) if clicks else ((), (), ())
    types = (pa.string(), pa.string(), pa.timestamp("us", "UTC"))
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    return pa.table(arrays, names=["user_id", "item_id", "event_time"])


def read_clicks(client: Client, now: datetime) -> pa.Table:
    """The newest clicks on recommendations that the warehouse has; none without the table."""
    if not client.command("EXISTS TABLE cleaned.recommendation_feedback"):
        return click_rows([])
    session = now - SESSION
    found: pa.Table = client.query_arrow(
        _CLICKS,
        parameters={
            "from_day": session.date(),
            "session": session,
            "click": CLICK,
            "most": _MOST_USERS,
        },
        use_strings=True,
    )
    return found.cast(click_rows([]).schema)


def fresh_state(client: Client, made_at: datetime) -> tuple[object, ...]:
    """What tells reactions since lists were made from others: equal if none has come."""
    [found] = client.query(_STATE, parameters=_since(made_at)).result_rows
    return tuple(found)


def fresh_lists(  # noqa: PLR0917  (each is another thing)
    client: Client,
    model: LoadedModel,
    served: pa.Table,
    made_at: datetime,
    clicks: pa.Table,
    rules: ServedRules,
    now: datetime,
) -> FreshLists:
    """The lists of users whose interactions differ from those of their served list, by the rules.

    `served` has user_id and history, as `recsys.top_n` has them, which was filled at `made_at`.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from recsys.scoring.current_users import PresentUsers

    clicks = clicks.filter(pc.is_in(clicks["item_id"], value_set=model.items))
    reacting = _reacting_users(client, made_at)
    users = pc.unique(pa.chunked_array([*reacting.chunks, *clicks["user_id"].chunks], pa.string()))
    start, end = (datetime.fromisoformat(day) for day in model.manifest["data_window"])
    if not len(users):
        return FreshLists(_no_lists(), click_rows([]))
    videos = VIDEO_FACT in model.manifest["watermarks"]
    named = users.to_pylist()
    columns = ["user_id", "item_id", "event_time", "weight"]
    rows = read_interactions_of(client, named, start, end, videos).select(columns)
    rows = pa.concat_tables([rows, _weighed(clicks, end, rows.schema)])
    present = PresentUsers.of(model, rows)
    by_rules = current_lists(client, present, rules, now, named)
    changed = np.flatnonzero(~by_rules.unchanged(served))
    batches = list(by_rules.top_n(changed, ITEMS_A_USER))
    lists = pa.Table.from_batches(batches) if batches else _no_lists()
    since = pa.scalar(made_at - MARGIN, pa.timestamp("us", "UTC"))
    newer = pc.and_(
        pc.greater(rows["event_time"], since),
        pc.is_in(rows["user_id"], value_set=present.users.take(pa.array(changed))),
    )
    known = pc.is_in(rows["item_id"], value_set=model.items)
    folded = rows.filter(pc.and_(newer, known)).select(columns[:3])
    order = [("user_id", "ascending"), ("event_time", "descending")]
    ranked = lists.select(["user_id", "rank", "item_id", "score", "model_rank"])
    return FreshLists(ranked, _newest(folded.sort_by(order)))


def _newest(folded: pa.Table) -> pa.Table:
    """The first rows of each user."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    runs = pc.run_end_encode(folded["user_id"].combine_chunks()).run_ends.to_numpy()
    begins = np.concatenate(([0], runs[:-1])).astype(np.int64)
    place = np.arange(folded.num_rows) - np.repeat(begins[: len(runs)], np.diff([0, *runs]))
    return folded.filter(pa.array(place < MOST_FOLDED))


def _reacting_users(client: Client, made_at: datetime) -> pa.ChunkedArray:
    found: pa.Table = client.query_arrow(
        _FRESH,
        parameters={
            **_since(made_at),
            "metrics": list(METRIC_WEIGHTS),
            "most": _MOST_USERS,
        },
        use_strings=True,
    )
    return found["user_id"]


def _since(made_at: datetime) -> dict[str, object]:
    since = made_at - MARGIN
    # A record that is more than a day late is taken in by the next refresh of the lists.
    return {"from_day": (since - timedelta(days=1)).date(), "since": since}


def _weighed(clicks: pa.Table, end: datetime, schema: pa.Schema) -> pa.Table:
    """Clicks with the weight of a click, in the unit of the day before `end`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    weighed_on = pa.scalar(end - timedelta(days=1), pa.timestamp("us", "UTC"))
    days = pc.days_between(weighed_on, clicks["event_time"])
    half_lives = pc.divide(pc.cast(days, pa.float64()), HALF_LIFE / timedelta(days=1))
    weight = pc.multiply(METRIC_WEIGHTS["click"], pc.power(2.0, half_lives))
    return clicks.append_column("weight", weight).cast(schema)


def _no_lists() -> pa.Table:
    import pyarrow as pa

    return pa.schema(
        {
            "user_id": pa.string(),
            "rank": pa.uint16(),
            "item_id": pa.string(),
            "score": pa.float32(),
            "model_rank": pa.uint16(),
        }
    ).empty_table()
