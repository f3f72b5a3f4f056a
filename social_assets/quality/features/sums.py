"""Whether the tables of `features` hold what the facts tell of users, by day.

Belongs here: what the checks of features compute, without Dagster. Sessions count their events on
the days on which these are, also those after midnight, so that both sides of a day are comparable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from social_assets.contracts.engagement_events import LARGEST_VALUE, METRIC_WEIGHTS
from social_assets.contracts.recommended.recommendation_feedback import WINDOW
from social_assets.metrics.users import KNOWN_USER
from social_assets.quality.day_comparison import agree
from social_assets.warehouse.compared_days import (
    SUMS_EQUAL_EVENTS,
    ComparedDay,
    partition_states,
    record_compared,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

SESSIONS, SESSIONS_DAILY = "features.sessions", "features.sessions_daily"
USER_DAYS, USER_POSTS = "features.user_days", "features.user_posts"
EXPOSURES = "features.recommendation_exposures"
POSITIONS_DAILY = "features.recommendation_positions_daily"
UNUSUAL_SESSIONS = "features.unusual_sessions"
COORDINATED_TEXTS = "features.coordinated_texts"
DAYS_BEFORE, DAYS_AFTER = 2, 1
"""A session depends on so many days before its own and after it, as its dbt model declares too."""

_ENGAGEMENT = "star.fact_engagement"
_TIMED = (_ENGAGEMENT, "star.fact_video_interactions", "star.fact_live_streaming_interactions")
_FACTS = (*_TIMED, "star.fact_community_interactions")
_SUMS = ("sessions", "bounces", "minutes_sum", "events_sum", "items_sum")
_SHOWN, _FEEDBACK = "cleaned.recommendation_exposures", "cleaned.recommendation_feedback"
_TEXTS = (("posts", "post_id"), ("posts_collected", "post_id"), ("comments", "comment_id"))
_SUMS_OF_POSITIONS = ("exposures", "clicked", "clicks_sum", "skips_sum", "dwells_sum")


@dataclass(frozen=True)
class FeatureSums:
    """A table of features, and SELECTs of the sums of both sides by day.

    `{of_days}` stands for a condition on `event_date`, `{of_days_before}` for one that also has the
    day before each. The second column of each SELECT is an array of the sums.
    """

    table: str
    measure: str
    ours: str
    theirs: str
    sources: tuple[str, ...]
    days_before: int = 0
    days_after: int = 0
    """Rows depend on so many days before their own and after it, as the dbt model declares too."""
    tells_lost_rows: bool = True
    """Whether the other side has all rows that must be there, or only those that are listed."""

    def built_with(self, days: Sequence[date]) -> list[date]:
        """Days of a run, and those around that it builds with them."""
        around = range(-self.days_after, self.days_before + 1)
        return sorted({day + timedelta(days=n) for day in days for n in around})


_INTEREST = (
    f"toDecimal64(least(value, {LARGEST_VALUE}) * "
    f"transform(metric_type, {list(METRIC_WEIGHTS)}, {list(METRIC_WEIGHTS.values())}, 0.), 6)"
)

FEATURE_SUMS = (
    FeatureSums(
        SESSIONS,
        "events",
        "SELECT part.1 AS event_date, [toFloat64(sum(part.2))] FROM (\n"
        "  SELECT arrayJoin([(event_date, toInt64(events - events_after_midnight)),\n"
        "    (event_date + 1, toInt64(events_after_midnight))]) AS part\n"
        f"  FROM {SESSIONS} WHERE {{of_days_before}})\n"
        "GROUP BY event_date",
        "SELECT event_date, [toFloat64(count())] FROM features.user_events\n"
        "WHERE {of_days} GROUP BY event_date",
        _TIMED,
        days_before=DAYS_BEFORE,
        days_after=DAYS_AFTER,
    ),
    FeatureSums(
        SESSIONS_DAILY,
        ", ".join(_SUMS),
        f"SELECT event_date, [{', '.join(f'toFloat64(sum({name}))' for name in _SUMS)}]\n"
        f"FROM {SESSIONS_DAILY} WHERE {{of_days}} GROUP BY event_date",
        "SELECT event_date, [toFloat64(count()), toFloat64(sum(is_bounce)), sum(minutes),\n"
        "  toFloat64(sum(events)), toFloat64(sum(items))]\n"
        f"FROM {SESSIONS} WHERE {{of_days}} GROUP BY event_date",
        (SESSIONS, *_TIMED),
        days_before=DAYS_BEFORE,
        days_after=DAYS_AFTER,
    ),
    FeatureSums(
        USER_DAYS,
        "events",
        f"SELECT event_date, [toFloat64(sum(events))] FROM {USER_DAYS}\n"
        "WHERE {of_days} GROUP BY event_date",
        "SELECT event_date, [toFloat64(sum(n))] FROM (\n"
        + "\n  UNION ALL ".join(
            f"SELECT event_date, count() AS n FROM {fact}\n"
            f"  WHERE {{of_days}} AND {KNOWN_USER} GROUP BY event_date"
            for fact in _FACTS
        )
        + ")\nGROUP BY event_date",
        _FACTS,
    ),
    FeatureSums(
        USER_POSTS,
        "interest",
        f"SELECT event_date, [sum(interest)] FROM {USER_POSTS}\n"
        "WHERE {of_days} GROUP BY event_date",
        f"SELECT event_date, [toFloat64(sum({_INTEREST}))] FROM {_ENGAGEMENT}\n"
        f"WHERE {{of_days}} AND {KNOWN_USER} AND has({list(METRIC_WEIGHTS)}, metric_type)\n"
        "GROUP BY event_date",
        (_ENGAGEMENT,),
    ),
    # Feedback counts on its own day, which may be the one after its exposure.
    FeatureSums(
        EXPOSURES,
        "exposures, feedback",
        "SELECT part.1 AS event_date, [toFloat64(sum(part.2)), toFloat64(sum(part.3))] FROM (\n"
        "  SELECT arrayJoin([\n"
        "    (event_date, toInt64(1), toInt64(feedback_events - feedback_after_midnight)),\n"
        "    (event_date + 1, toInt64(0), toInt64(feedback_after_midnight))]) AS part\n"
        f"  FROM {EXPOSURES} WHERE {{of_days_before}})\n"
        "GROUP BY event_date",
        "SELECT event_date, [toFloat64(sum(shown)), toFloat64(sum(fed_back))] FROM (\n"
        f"  SELECT event_date, count() AS shown, 0 AS fed_back FROM {_SHOWN}\n"
        "  WHERE {of_days} GROUP BY event_date\n"
        "  UNION ALL SELECT f.event_date AS event_date, 0, uniqExact(f.feedback_id) FROM\n"
        f"    (SELECT * FROM {_FEEDBACK} WHERE {{of_days}}) AS f INNER JOIN\n"
        f"    (SELECT * FROM {_SHOWN} WHERE {{of_days_before}}) AS s\n"
        "    ON f.platform = s.platform AND f.user_id = s.user_id AND f.item_id = s.item_id\n"
        "  WHERE f.happened_at >= s.shown_at\n"
        f"    AND f.happened_at < s.shown_at + toIntervalSecond({WINDOW // timedelta(seconds=1)})\n"
        "  GROUP BY f.event_date)\n"
        "GROUP BY event_date",
        (_SHOWN, _FEEDBACK),
        days_after=1,
    ),
    FeatureSums(
        POSITIONS_DAILY,
        ", ".join(_SUMS_OF_POSITIONS),
        f"SELECT event_date, [{', '.join(f'toFloat64(sum({n}))' for n in _SUMS_OF_POSITIONS)}]\n"
        f"FROM {POSITIONS_DAILY} WHERE {{of_days}} GROUP BY event_date",
        "SELECT event_date, [toFloat64(count()), toFloat64(sum(is_clicked)),\n"
        "  toFloat64(sum(clicks)), toFloat64(sum(skips)), toFloat64(sum(dwells))]\n"
        f"FROM {EXPOSURES} WHERE {{of_days}} GROUP BY event_date",
        (EXPOSURES, _SHOWN, _FEEDBACK),
        days_after=1,
    ),
    FeatureSums(
        UNUSUAL_SESSIONS,
        "sessions, events",
        "SELECT event_date, [toFloat64(count()), toFloat64(sum(events))]\n"
        f"FROM {UNUSUAL_SESSIONS} WHERE {{of_days}} GROUP BY event_date",
        "SELECT event_date, [toFloat64(count()), toFloat64(sum(events))]\n"
        f"FROM {SESSIONS} WHERE {{of_days}}\n"
        "  AND (event_date, platform_key, user_key, event_time) IN\n"
        "  (SELECT event_date, platform_key, user_key, event_time\n"
        f"   FROM {UNUSUAL_SESSIONS} WHERE {{of_days}})\n"
        "GROUP BY event_date",
        (SESSIONS, *_TIMED),
        days_before=DAYS_BEFORE,
        days_after=DAYS_AFTER,
        tells_lost_rows=False,
    ),
    FeatureSums(
        COORDINATED_TEXTS,
        "texts",
        "SELECT event_date, [toFloat64(sum(length(text_ids)))]\n"
        f"FROM {COORDINATED_TEXTS} WHERE {{of_days}} GROUP BY event_date",
        "SELECT event_date,\n"
        "  [toFloat64(uniqExact(platform_key, text_key, event_time, text_id))] FROM (\n"
        "  SELECT event_date, platform_key, text_key, event_time, arrayJoin(text_ids) AS text_id\n"
        f"  FROM {COORDINATED_TEXTS} WHERE {{of_days}})\n"
        "WHERE (event_date, platform_key, text_id) IN (\n"
        + "\n  UNION ALL ".join(
            "SELECT event_date, MD5(toString(platform)), concat("
            f"'{stream}:', {text_id}) FROM cleaned.{stream} WHERE {{of_days}}"
            for stream, text_id in _TEXTS
        )
        + ")\nGROUP BY event_date",
        tuple(f"cleaned.{stream}" for stream, _ in _TEXTS),
        tells_lost_rows=False,
    ),
)
"""One for each table that dbt fills."""


_FOLLOWING = {SESSIONS: DAYS_BEFORE, EXPOSURES: 1}
"""On how many days after a row's own the events are that it counts."""


@dataclass(frozen=True)
class DifferingDay:
    """A day on which a table has other sums than the facts."""

    day: date
    ours: tuple[float, ...]
    theirs: tuple[float, ...]


def compare_sums(
    client: Client,
    sums: FeatureSums,
    days: Sequence[date] | None,
    expired: Collection[date] = (),
) -> list[DifferingDay]:
    """Compare some days, or all, and record for answers what each has; returns those that differ.

    Days of which retention has removed a part are left out: those that are `expired`, and those
    that follow them, where rows of a day have events on later days.
    """
    tables = (sums.table, *sums.sources)
    gone = set(expired)
    following = _FOLLOWING.get(sums.table, 0)
    gone |= {day + timedelta(days=n) for day in expired for n in range(1, following + 1)}
    states = partition_states(client, tables)
    ours, theirs = (_by_day(client, side, days) for side in (sums.ours, sums.theirs))
    asked = {*ours, *theirs} if days is None else set(days)
    differing = [
        DifferingDay(day, ours.get(day, ()), theirs.get(day, ()))
        for day in sorted(asked - gone)
        if not _are_equal(ours.get(day, ()), theirs.get(day, ()))
    ]
    failed = {each.day for each in differing}
    compared = [
        ComparedDay(sums.table, SUMS_EQUAL_EVENTS, day, day not in failed, tables)
        for day in sorted(asked - gone)
    ]
    record_compared(client, compared, states)
    return differing


def _are_equal(ours: tuple[float, ...], theirs: tuple[float, ...]) -> bool:
    """A side without rows has 0 everywhere."""
    nothing = (0.0,) * max(len(ours), len(theirs))
    return all(agree(*pair) for pair in zip(ours or nothing, theirs or nothing, strict=True))


def _by_day(
    client: Client, select: str, days: Sequence[date] | None
) -> Mapping[date, tuple[float, ...]]:
    of_days = "event_date IN {days:Array(Date)}"
    before = sorted({day - timedelta(days=n) for day in days or () for n in (0, 1)})
    query = select.format(
        of_days="true" if days is None else of_days,
        of_days_before="true" if days is None else "event_date IN {before:Array(Date)}",
    )
    parameters = {"days": list(days or ()), "before": before}
    found = {
        day: tuple(map(float, values))
        for day, values in client.query(query, parameters=parameters).result_rows
    }
    # The day before the first has events that are not counted here completely.
    return found if days is None else {day: found[day] for day in days if day in found}
