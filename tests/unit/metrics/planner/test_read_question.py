"""Questions from texts: what each text means, and what a wrong one is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest

from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import ComparedRange, Filter, Question, QuestionError
from social_assets.metrics.planner.read_question import Texts, read_question

NOW = datetime(2026, 3, 29, 12, 34, tzinfo=UTC)
"""The day on which Berlin has 23 hours."""


def read(**texts: object) -> Question:
    return read_question(replace(Texts(("likes",)), **texts), NOW)  # type: ignore[arg-type]


def span(**texts: object) -> tuple[str, str]:
    question = read(**texts)
    return question.start.isoformat()[:16], question.end.isoformat()[:16]


@pytest.mark.parametrize(
    ("texts", "start", "end"),
    [
        ({}, "2026-02-28T00:00", "2026-03-30T00:00"),
        ({"range": "today"}, "2026-03-29T00:00", "2026-03-30T00:00"),
        ({"range": "yesterday"}, "2026-03-28T00:00", "2026-03-29T00:00"),
        ({"range": "today", "zone": "Europe/Berlin"}, "2026-03-28T23:00", "2026-03-29T22:00"),
        ({"range": "last_1_days"}, "2026-03-29T00:00", "2026-03-30T00:00"),
        ({"range": "last_7_days"}, "2026-03-23T00:00", "2026-03-30T00:00"),
        ({"range": "last_24_hours"}, "2026-03-28T13:00", "2026-03-29T13:00"),
        ({"start": "2026-03-01", "end": "2026-03-01"}, "2026-03-01T00:00", "2026-03-02T00:00"),
        ({"start": "2026-03-01"}, "2026-03-01T00:00", "2026-03-29T12:34"),
        (
            {"start": "2026-03-01T09:00", "end": "2026-03-01T10:00"},
            "2026-03-01T09:00",
            "2026-03-01T10:00",
        ),
        (
            {"start": "2026-03-01", "end": "2026-03-02", "zone": "Asia/Kolkata"},
            "2026-02-28T18:30",
            "2026-03-02T18:30",
        ),
        (
            {"start": "2026-03-01T09:00+02:00", "end": "2026-03-01T10:00Z", "zone": "Asia/Kolkata"},
            "2026-03-01T07:00",
            "2026-03-01T10:00",
        ),
    ],
)
def test_a_range_is_read_in_the_questions_zone(
    texts: dict[str, object], start: str, end: str
) -> None:
    assert span(**texts) == (start, end)


def test_every_text_has_its_place_in_the_question() -> None:
    question = read(
        metrics=("likes", "reach", "likes"),
        grain="week",
        by=("platform", "account", "platform"),
        where={"post": ["p1", "p1"], "account": ["1", "2"]},
        zone="Europe/Berlin",
        compare="year",
        order_by="-reach",
        limit=5,
        with_others=True,
    )
    assert question.metrics == ("likes", "reach")
    assert question.grain is Grain.WEEK
    assert question.by == ("platform", "account")
    assert question.where == (Filter("account", ("1", "2")), Filter("post", ("p1",)))
    assert question.zone == "Europe/Berlin"
    assert question.compare is ComparedRange.YEAR
    assert (question.ordering, question.is_ascending) == ("reach", True)
    assert (question.limit, question.with_others) == (5, True)


def test_the_first_metric_orders_downwards_by_default() -> None:
    question = read(metrics=("reach", "likes"))
    assert (question.ordering, question.is_ascending) == ("reach", False)
    assert read(order_by="likes").is_ascending is False


@pytest.mark.parametrize(
    ("texts", "parameter", "problem"),
    [
        ({"metrics": ()}, "metrics", "names no metric"),
        ({"metrics": ("lik",)}, "metrics", "did you mean likes"),
        ({"metrics": ("likes'; DROP",)}, "metrics", "no metric is named"),
        ({"order_by": "reach"}, "order_by", "is not among the metrics asked: likes"),
        ({"order_by": "nothing"}, "order_by", "no metric is named"),
        ({"grain": "instant"}, "grain", "is not kept; ask for one of hour, day"),
        ({"zone": "../etc/passwd"}, "zone", "is no time zone"),
        ({"zone": "Europe"}, "zone", "is no time zone"),
        ({"zone": "UTC'"}, "zone", "is no time zone"),
        ({"zone": "localtime"}, "zone", "is no time zone"),
        ({"order_by": "-"}, "order_by", "names no metric"),
        ({"range": "last_\uff11_days"}, "range", "is no range"),
        ({"start": "2026-03-01", "end": "20260302"}, "to", "is no date or time"),
        ({"start": "2026-W09-1", "end": "2026-03-02"}, "from", "is no date or time"),
        ({"range": "last_0_days"}, "range", "is no range; write one of today"),
        ({"range": "last_0_hours"}, "range", "is no range"),
        ({"range": "last_7_weeks"}, "range", "is no range"),
        ({"range": "last_99999_days"}, "from", "1752"),
        ({"range": "today", "start": "2026-01-01"}, "range", "can't be combined"),
        ({"end": "2026-01-01"}, "from", "is missing"),
        ({"start": "01.02.2026"}, "from", "is no date or time; write 2026-11-01"),
        ({"start": "2026-01-01", "end": "2026-02-30"}, "to", "is no date or time"),
        ({"start": "2026-01-01", "end": "9999-12-31"}, "to", "is no date or time"),
        ({"start": "0001-01-01", "zone": "Asia/Tokyo"}, "from", "is no date or time"),
        ({"start": "0001-01-01T00:00+14:00"}, "from", "is out of range"),
        ({"start": "1969-12-31"}, "from", "is not between 1970-01-02 and 2105-12-31"),
        ({"start": "2026-01-01", "end": "2106-01-01"}, "to", "is not between"),
        ({"start": "2026-01-02", "end": "2026-01-01"}, "from", "is not before the end"),
        ({"start": "1990-01-01"}, "from", "longer than 30 years"),
        ({"start": "2095-04-01", "end": "2095-04-02"}, "from", "lies in the future"),
        (
            {"start": "1970-01-03", "end": "1970-02-01", "compare": "year"},
            "compare",
            "earlier than",
        ),
        ({"compare": "month"}, "compare", "is no comparison; write previous or year"),
        ({"by": ("device",)}, "by", "metrics of engagement are not known by 'device'"),
        ({"where": {"device": ["x"]}}, "where", "are not known by 'device'"),
        ({"where": {"platform": []}}, "platform", "names no value; leave the filter out"),
        ({"where": {"account": list(map(str, range(1001)))}}, "account", "names 1,001 values"),
        ({"where": {"weekday": ["Monday"]}}, "where", "weekday is a number without leading"),
        ({"where": {"hour_of_day": ["09"]}}, "where", "hour_of_day is a number without leading"),
        ({"limit": 0}, "limit", "must be 1 to 10,000, not 0"),
        ({"limit": 10_001}, "limit", "must be 1 to 10,000, not 10001"),
        ({"metrics": ("likes", "watch_time"), "by": ("account",)}, "by", "metrics of video are"),
    ],
)
def test_a_wrong_text_is_named_with_the_problem_and_the_remedy(
    texts: dict[str, object], parameter: str, problem: str
) -> None:
    with pytest.raises(QuestionError) as caught:
        read(**texts)
    assert caught.value.parameter == parameter
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("texts", "is_answered"),
    [
        ({"by": ("post",), "grain": "day"}, True),
        ({"where": {"post": ["p1"]}, "grain": "day"}, True),
        ({"where": {"post": ["p1", "p2"]}, "grain": "day"}, False),
        ({"by": ("account",), "grain": "day"}, False),
        ({"by": ("post",), "grain": "week"}, False),
        ({"by": ("post",), "grain": "day", "zone": "Europe/Berlin"}, False),
    ],
)
def test_a_platforms_own_figure_is_answered_only_as_it_is_reported(
    texts: dict[str, object], is_answered: bool
) -> None:
    if is_answered:
        read(metrics=("reported_reach",), **texts)
        return
    with pytest.raises(QuestionError, match="values of days or members are not summed"):
        read(metrics=("reported_reach",), **texts)


def test_every_zone_of_the_system_is_read() -> None:
    for name in sorted(available_timezones() - {"localtime", "posixrules"}):
        assert read(zone=name).zone == name
