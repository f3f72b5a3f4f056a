"""What an answer must be: computed from the rows of facts, one by one, in plain Python.

Written apart from the planner's SQL: it knows rows and what a metric means, but no rollup, bucket
edge or state.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import md5
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from social_assets.metrics.formula import (
    AsReported,
    Distinct,
    Formula,
    Growth,
    Level,
    Quantile,
    Ratio,
    Share,
    Total,
    Weighted,
)
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import (
    RELATIVE_ERROR_OF_DISTINCT,
    RELATIVE_ERROR_OF_QUANTILES,
)
from social_assets.metrics.planner.question import ComparedRange, Question, subjects_of
from social_assets.metrics.registry import metric, subject_of
from tests.integration.metrics import records

FactRow = Mapping[str, object]
Bucket = date | datetime | None
Group = tuple[str, ...]

_SUM_ERROR = 1e-9
_UNKNOWN_USER = md5(b"Unknown", usedforsecurity=False).hexdigest()

_KEYS = "lower(hex(platform_key)) AS platform, lower(hex(user_key)) AS user"
_FACTS: Mapping[str, Sequence[str]] = {
    "engagement": (
        f"SELECT {_KEYS}, lower(hex(account_key)) AS account, lower(hex(post_key)) AS post,"
        " metric_type, value AS value_sum, value AS value_quantiles FROM star.fact_engagement",
    ),
    "video": (
        f"SELECT {_KEYS}, watch_reason, lower(hex(device_type_key)) AS device_type, age_group,"
        " gender, lower(hex(video_key)) AS video, engagement AS engagement_sum,"
        " time_spent_on_video AS minutes_sum, time_spent_on_video AS minutes_quantiles,"
        " productivity_loss AS productivity_loss_sum, satisfaction AS satisfaction_sum,"
        " self_control AS self_control_sum, addiction_level AS addiction_level_sum"
        " FROM star.fact_video_interactions",
    ),
    "live": (
        f"SELECT {_KEYS}, lower(hex(device_type_key)) AS device_type,"
        " lower(hex(event_key)) AS live_event, live_engagement AS engagement_sum,"
        " viewer_count AS viewers_sum, viewer_count AS viewers_quantiles,"
        " stream_duration AS minutes_sum, addiction_level AS addiction_level_sum"
        " FROM star.fact_live_streaming_interactions",
    ),
    "communities": (
        f"SELECT {_KEYS}, lower(hex(community_key)) AS community,"
        " lower(hex(membership_status_key)) AS membership_status, age_group, gender,"
        " community_engagement AS engagement_sum, total_time_spent AS minutes_sum"
        " FROM star.fact_community_interactions",
    ),
    "activity": (
        f"SELECT 'engagement_events' AS stream, {_KEYS}, toString(toHour(event_time)) AS"
        " told_hour, value AS engagement_sum FROM star.fact_engagement",
        f"SELECT 'video_interactions' AS stream, {_KEYS}, toString(hour_of_day) AS told_hour,"
        " engagement AS engagement_sum FROM star.fact_video_interactions",
        f"SELECT 'live_streaming' AS stream, {_KEYS}, toString(hour_of_day) AS told_hour,"
        " live_engagement AS engagement_sum FROM star.fact_live_streaming_interactions",
    ),
    "people": (
        f"SELECT 'video_interactions' AS stream, {_KEYS}, age_group, gender,"
        " engagement AS engagement_sum, time_spent_on_video AS minutes_sum"
        " FROM star.fact_video_interactions",
        f"SELECT 'community_interactions' AS stream, {_KEYS}, age_group, gender,"
        " community_engagement AS engagement_sum, total_time_spent AS minutes_sum"
        " FROM star.fact_community_interactions",
    ),
    "collected": (
        "SELECT kind, lower(hex(platform_key)) AS platform, lower(hex(account_key)) AS account,"
        " lower(hex(post_key)) AS post, counter, added AS added_sum, found AS found_sum,"
        " taken_back AS taken_back_sum, followers, followers AS followers_sum,"
        " followers_gained AS followers_gained_sum FROM star.collected_changes",
    ),
    "enrichment": (
        "SELECT lower(hex(platform_key)) AS platform, lower(hex(account_key)) AS account,"
        " if(engagement_rate IS NULL, 0, assumeNotNull(engagement_of_posts)) AS"
        " engagement_of_posts_sum,"
        " if(engagement_rate IS NULL, 0, assumeNotNull(followers)) AS rated_followers_sum,"
        " ifNull(posts_a_week, 0) AS posts_a_week_sum, posts_a_week IS NOT NULL AS posted_days,"
        " ifNull(quality_score, 0) AS quality_score_sum, quality_score IS NOT NULL AS assessed_days"
        " FROM rollups.account_enrichment",
    ),
    "sessions": (
        f"SELECT {_KEYS}, is_bounce AS bounces, minutes AS minutes_sum, events AS events_sum,"
        " items AS items_sum FROM features.sessions",
    ),
    "recommendations": (
        f"SELECT {_KEYS}, place AS position, model, placement,"
        " is_clicked AS clicked, clicks AS clicks_sum, skips AS skips_sum, dwells AS dwells_sum,"
        " dwell_seconds AS dwell_seconds_sum FROM features.recommendation_exposures",
    ),
    "unusual_sessions": (
        f"SELECT {_KEYS}, kind, events AS events_sum FROM features.unusual_sessions",
    ),
    "coordinated_texts": (
        "SELECT lower(hex(platform_key)) AS platform, authors AS authors_sum, texts AS texts_sum"
        " FROM features.coordinated_texts",
    ),
    "sentiment": (
        "SELECT stream, label, score AS score_sum, toString(platform) AS platform,"
        " account_id AS account, post_id AS post FROM text.sentiment",
    ),
}
_LABELLED = (
    "platform",
    "account",
    "post",
    "device_type",
    "video",
    "live_event",
    "community",
    "membership_status",
)
_LABELS = {
    md5(label.encode(), usedforsecurity=False).hexdigest(): label
    for label in (
        *records.PLATFORMS,
        *records.ACCOUNTS,
        *records.POSTS,
        *records.DEVICES,
        *records.STATUSES,
        "Reddit",
        *map(str, range(30)),
    )
}


@dataclass(frozen=True)
class Expected:
    """A value, and how far an answer may be from it."""

    low: float | None
    high: float | None

    def allows(self, value: float | None) -> bool:
        if value is None or self.low is None or self.high is None:
            return value is None and self.low is None
        return self.low <= value <= self.high


NOTHING = Expected(None, None)


def _about(value: float, error: float) -> Expected:
    slack = abs(value) * error
    return Expected(value - slack, value + slack)


def read_facts(client: Client) -> dict[str, list[FactRow]]:
    """The rows of each subject, with labels in place of keys."""
    facts: dict[str, list[FactRow]] = defaultdict(list)
    for subject, queries in _FACTS.items():
        for query in queries:
            head, _, tail = query.rpartition(" FROM ")
            timed = f"{head}, toUnixTimestamp64Micro(toDateTime64(event_time, 6, 'UTC')) AS t"
            result = client.query(f"{timed} FROM {tail}")
            for values in result.result_rows:
                row = dict(zip(result.column_names, values, strict=True))
                for name in _LABELLED:
                    if name in row:
                        row[name] = _LABELS.get(str(row[name]), row[name])
                begin = datetime(1970, 1, 1, tzinfo=UTC)
                row["at"] = begin + timedelta(microseconds=int(row["t"]))
                facts[subject].append(row)
    return dict(facts)


class Reference:
    """Answers a question about one range from the rows of facts."""

    def __init__(
        self, facts: Mapping[str, list[FactRow]], question: Question, start: datetime, end: datetime
    ) -> None:
        self.question = question
        self.zone = ZoneInfo(question.zone)
        self.places: dict[str, dict[tuple[Bucket, Group], list[FactRow]]] = {}
        for subject in subjects_of(question):
            found: dict[tuple[Bucket, Group], list[FactRow]] = defaultdict(list)
            for row in facts[subject.name]:
                at = row["at"]
                assert isinstance(at, datetime)
                if start <= at < end and self._passes(row, at):
                    found[self.bucket(at), self._group(row, at)].append(row)
            self.places[subject.name] = dict(found)

    def bucket(self, at: datetime) -> Bucket:
        local, grain = at.astimezone(self.zone), self.question.grain
        if grain is Grain.TOTAL:
            return None
        if grain is Grain.HOUR:
            return at - timedelta(
                minutes=local.minute, seconds=local.second, microseconds=local.microsecond
            )
        day = local.date()
        if grain is Grain.WEEK:
            return day - timedelta(days=local.isoweekday() - 1)
        return date(day.year, day.month, 1) if grain is Grain.MONTH else day

    def groups(self, subject: str) -> dict[Group, list[FactRow]]:
        """The rows of each group over the whole range."""
        found: dict[Group, list[FactRow]] = defaultdict(list)
        for (_, group), rows in self.places[subject].items():
            found[group] += rows
        return found

    def all_groups(self) -> set[Group]:
        return {group for places in self.places.values() for _, group in places}

    def values(
        self, bucket: Bucket, is_answered: Callable[[Group], bool]
    ) -> tuple[Expected, ...] | None:
        """The values of some groups together; None if no subject has a row of them."""
        own: dict[str, list[FactRow]] = {}
        everything: dict[str, list[FactRow]] = {}
        for subject, places in self.places.items():
            inside = [(g, rows) for (b, g), rows in places.items() if b == bucket]
            own[subject] = [row for group, rows in inside if is_answered(group) for row in rows]
            everything[subject] = [row for _, rows in inside for row in rows]
        if not any(own.values()):
            return None
        found = []
        for name in self.question.metrics:
            subject = subject_of(name).name
            found.append(value_of(metric(name).formula, own[subject], everything[subject]))
        return tuple(found)

    def _passes(self, row: FactRow, at: datetime) -> bool:
        return all(self._label(row, at, f.dimension) in f.values for f in self.question.where)

    def _group(self, row: FactRow, at: datetime) -> Group:
        return tuple(self._label(row, at, name) for name in self.question.by)

    def _label(self, row: FactRow, at: datetime, dimension: str) -> str:
        if dimension == "weekday":
            return str(at.astimezone(self.zone).isoweekday())
        if dimension == "hour_of_day":
            return str(at.astimezone(self.zone).hour)
        return str(row[dimension])


def value_of(  # noqa: PLR0911 - one a kind of formula
    formula: Formula, rows: list[FactRow], everything: list[FactRow]
) -> Expected:
    """What a formula gives over rows; `everything` are those of all groups."""
    match formula:
        case Total():
            return _about(_sum(formula, rows), _SUM_ERROR)
        case Weighted():
            return _about(
                math.fsum(weight * _sum(total, rows) for weight, total in formula.terms), _SUM_ERROR
            )
        case AsReported():
            return value_of(formula.total, rows, everything) if rows else NOTHING
        case Distinct():
            users = {row["user"] for row in _only(formula.only, rows)} - {_UNKNOWN_USER}
            return _about(len(users), RELATIVE_ERROR_OF_DISTINCT)
        case Level():
            return _level(formula, rows)
        case Growth():
            gained, level = _sum(formula.gained, rows), _level(formula.level, rows)
            before = None if level.low is None else level.low - gained
            return _about(gained / before, _SUM_ERROR) if before else NOTHING
        case Ratio():
            over = value_of(formula.numerator, rows, everything)
            under = value_of(formula.denominator, rows, everything)
            return _divided(over, under)
        case Share():
            if not rows:
                return NOTHING
            return _divided(
                value_of(formula.of, rows, everything),
                value_of(formula.of, everything, everything),
            )
        case Quantile():
            return _quantile(formula, rows)
        case _:
            raise AssertionError(f"no reference of {formula}")


def _only(only: Iterable[tuple[str, tuple[str, ...]]], rows: list[FactRow]) -> list[FactRow]:
    return [row for row in rows if all(row[name] in values for name, values in only)]


def _level(level: Level, rows: list[FactRow]) -> Expected:
    """The newest value of each account, summed."""
    newest: dict[tuple[object, object], float] = {}
    for row in sorted(_only(level.only, rows), key=lambda row: float(str(row["t"]))):
        if row["kind"] == "account":
            value = float(str(row[level.measure]))
            newest[row["platform"], row["account"]] = value
    return _about(math.fsum(newest.values()), 0) if newest else NOTHING


def _sum(total: Total, rows: list[FactRow]) -> float:
    inside = _only(total.only, rows)
    if total.measure in ("bursts", "events", "exposures", "interactions", "sessions", "texts"):
        return len(inside)
    if total.measure == "posts":
        return sum(row["kind"] == "post" for row in inside)
    return math.fsum(float(str(row[total.measure])) for row in inside)


def _divided(over: Expected, under: Expected) -> Expected:
    if over.low is None or over.high is None or not under.low or not under.high:
        return NOTHING
    ends = [one / other for one in (over.low, over.high) for other in (under.low, under.high)]
    slack = max(map(abs, ends)) * _SUM_ERROR
    return Expected(min(ends) - slack, max(ends) + slack)


def _quantile(formula: Quantile, rows: list[FactRow]) -> Expected:
    """Between the neighbours of the rank, since definitions of quantiles differ by one."""
    values = sorted(float(str(row[formula.measure])) for row in rows)
    if not values:
        return NOTHING
    rank = formula.level * len(values)
    low = values[max(0, math.floor(rank) - 1)]
    high = values[min(len(values) - 1, math.ceil(rank))]
    return Expected(
        low * (1 - RELATIVE_ERROR_OF_QUANTILES), high * (1 + RELATIVE_ERROR_OF_QUANTILES)
    )


def earlier_range(question: Question) -> tuple[datetime, datetime]:
    """The range before, by the calendar of the zone."""
    zone = ZoneInfo(question.zone)
    start, end = (at.astimezone(zone).replace(tzinfo=None) for at in (question.start, question.end))
    if question.compare is ComparedRange.YEAR:
        return _instant(_a_year_before(start), zone), _instant(_a_year_before(end), zone)
    if start.time() == end.time() == time():
        return _instant(start - (end - start), zone), question.start
    return question.start - (question.end - question.start), question.start


def _a_year_before(at: datetime) -> datetime:
    is_leap_day = (at.month, at.day) == (2, 29)
    return at.replace(year=at.year - 1, day=28 if is_leap_day else at.day)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def buckets_in(reference: Reference, start: datetime, end: datetime) -> list[Bucket]:
    """All buckets of a range, found by walking through it."""
    step, at = timedelta(minutes=15), start
    found: dict[Bucket, None] = {}
    while at < end:
        found[reference.bucket(at)] = None
        at += step
    found[reference.bucket(end - timedelta(microseconds=1))] = None
    return list(found)
