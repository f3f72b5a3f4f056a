"""Random questions, which the planner must answer as the facts do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from social_assets.metrics.dimension import TimePart
from social_assets.metrics.formula import AsReported
from social_assets.metrics.grain import ANSWERED, Grain
from social_assets.metrics.metric import Subject
from social_assets.metrics.planner.question import ComparedRange, Filter, Question
from social_assets.metrics.registry import metric, subjects
from tests.integration.metrics import records

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
)
_VALUES = {
    "platform": records.PLATFORMS,
    "account": records.ACCOUNTS,
    "post": records.POSTS,
    "metric_type": records.KINDS,
    "device_type": records.DEVICES,
    "watch_reason": records.REASONS,
    "age_group": records.AGES,
    "gender": records.GENDERS,
    "membership_status": records.STATUSES,
    "stream": (
        *("engagement_events", "video_interactions", "community_interactions"),
        *records.TEXT_STREAMS,
    ),
    "label": records.LABELS,
    "weekday": tuple(map(str, range(1, 8))),
    "hour_of_day": tuple(map(str, range(24))),
    "told_hour": tuple(map(str, range(-1, 24))),
    "counter": records.COUNTERS,
}
_NUMBERS = tuple(map(str, range(30)))
_MOST_HOURS = timedelta(days=12)


def _common(chosen: list[Subject]) -> list[str]:
    names = [each.name for each in chosen[0].dimensions]
    return [name for name in names if all(s.dimension(name) for s in chosen)]


@st.composite
def _ranges(draw: st.DrawFn, zone: str) -> tuple[datetime, datetime]:
    """Most begin and end at the zone's midnight, some at hours, some anywhere."""
    offset = draw(st.integers(-40, 24 * (records.DAYS + 2)))
    begin = records.FIRST + timedelta(hours=offset)
    length = timedelta(hours=draw(st.integers(1, 24 * records.DAYS)))
    kind = draw(st.sampled_from(("days", "days", "hours", "any")))
    if kind == "any":
        begin += timedelta(microseconds=draw(st.integers(0, 3_600_000_000)))
        length = timedelta(microseconds=draw(st.integers(1, 30 * 86_400_000_000)))
    end = begin + length
    if kind == "days":
        begin, end = (_midnight(at, zone) for at in (begin, end))
        end = end if end > begin else _midnight(begin + timedelta(hours=30), zone)
    return begin, end


def _midnight(at: datetime, zone: str) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date(), time(), local.tzinfo).astimezone(UTC)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A question of one subject, or of two that share dimensions."""
    chosen = draw(
        st.lists(st.sampled_from(subjects()), min_size=1, max_size=2, unique_by=lambda s: s.name)
    )
    plain = [m.name for s in chosen for m in s.metrics if not isinstance(m.formula, AsReported)]
    metrics = draw(st.lists(st.sampled_from(plain), min_size=1, max_size=4, unique=True))
    known = _common(chosen)
    by = draw(st.lists(st.sampled_from(known), max_size=3, unique=True))
    filtered = draw(st.lists(st.sampled_from(known), max_size=2, unique=True))
    where = tuple(
        Filter(
            name,
            tuple(
                draw(
                    st.lists(
                        st.sampled_from(_values(chosen[0], name)),
                        min_size=1,
                        max_size=4,
                        unique=True,
                    )
                )
            ),
        )
        for name in filtered
    )
    zone = draw(st.sampled_from(ZONES))
    start, end = draw(_ranges(zone))
    known_grains = [g for g in ANSWERED if all(g in metric(name).grains for name in metrics)]
    grain = draw(st.sampled_from(known_grains))
    if grain is Grain.HOUR:
        end = min(end, start + _MOST_HOURS)
    return Question(
        metrics=tuple(metrics),
        start=start,
        end=end,
        grain=grain,
        by=tuple(by),
        where=where,
        zone=zone,
        compare=draw(st.sampled_from((None, None, ComparedRange.PREVIOUS, ComparedRange.YEAR))),
        order_by=draw(st.sampled_from((None, *metrics))),
        is_ascending=draw(st.booleans()),
        limit=draw(st.sampled_from((1, 2, 3, 5, 1_000))),
        with_others=draw(st.booleans()),
    )


def _values(subject: Subject, name: str) -> tuple[str, ...]:
    known = _VALUES.get(name, _NUMBERS)
    is_part = isinstance(subject.dimension(name), TimePart)
    return known if is_part else (*known, "' OR 1=1 --", "{nothing}")
