"""Random questions: the planner answers over rollups what the rows of the facts say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings

from social_assets.metrics.answer import OTHERS, Answer, Row
from social_assets.metrics.ask import ask
from social_assets.metrics.formula import Share
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import Question, subjects_of
from social_assets.metrics.registry import metric
from tests.integration.metrics.questions import questions
from tests.integration.metrics.reference import (
    Bucket,
    Expected,
    FactRow,
    Group,
    Reference,
    buckets_in,
    earlier_range,
    read_facts,
    value_of,
)
from tests.integration.warehouse.conftest import WarehouseUnderTest

Facts = Mapping[str, list[FactRow]]
Values = tuple[Expected, ...]


@pytest.fixture(scope="module")
def facts(filled: WarehouseUnderTest) -> Facts:
    return read_facts(filled.client)


_CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


@given(question=questions())
@settings(max_examples=40, suppress_health_check=_CHECKS, derandomize=True)
def test_some_random_questions_are_answered_as_the_facts_say(
    filled: WarehouseUnderTest, facts: Facts, question: Question
) -> None:
    examine(facts, ask(filled.client, question))


@pytest.mark.endurance
@pytest.mark.timeout(3600)
@given(question=questions())
@settings(max_examples=1_000, suppress_health_check=_CHECKS, derandomize=True)
def test_a_thousand_random_questions_are_answered_as_the_facts_say(
    filled: WarehouseUnderTest, facts: Facts, question: Question
) -> None:
    examine(facts, ask(filled.client, question))


def examine(facts: Facts, answer: Answer) -> None:
    """Compare an answer with the facts: its groups, its buckets, its values, their order."""
    question = answer.question
    now = Reference(facts, question, question.start, question.end)
    kept = _kept_groups(now, answer)
    rows = _rows_by_place(now, answer)
    _assert_best(now, kept)
    expected = _expected(now, kept)
    missing = set(expected) - set(rows)
    assert not missing, f"no row of {missing}"
    before: dict[tuple[Bucket, Group], Values] = {}
    if question.compare is not None:
        before = _moved(now, facts, kept)
        assert set(before) <= set(rows), f"no row of {set(before) - set(rows)}"
    for place, row in rows.items():
        assert place in expected or place in before, f"{place} has no rows in the facts"
        _assert_values(question, place, row.values, expected.get(place))
        if question.compare is not None:
            _assert_values(question, place, row.compared, before.get(place))
    _assert_order(question, answer.rows)


def _kept_groups(now: Reference, answer: Answer) -> set[Group]:
    """The groups that the answer shows by name. A post may be named `others` as well."""
    question, known = now.question, now.all_groups()
    found = {row.group for row in answer.rows if question.by} & known
    rest = (OTHERS,) * len(question.by)
    if rest in found and not _is_twice(answer, rest) and len(found) > question.limit:
        found.discard(rest)
    return found if question.by else {()}


def _is_twice(answer: Answer, group: Group) -> bool:
    places = [(row.bucket, row.group) for row in answer.rows if row.group == group]
    return len(places) > len(set(places))


def _rows_by_place(now: Reference, answer: Answer) -> dict[tuple[Bucket, Group], Row]:
    found: dict[tuple[Bucket, Group], Row] = {}
    for row in answer.rows:
        bucket: Bucket = row.bucket
        if row.bucket is not None and now.question.grain is not Grain.HOUR:
            bucket = row.bucket.astimezone(now.zone).date()
        assert (bucket, row.group) not in found, f"two rows of {bucket}, {row.group}"
        found[bucket, row.group] = row
    return found


def _assert_best(now: Reference, kept: set[Group]) -> None:
    """The groups of the answer are the first ones by the ordering metric over the whole range."""
    question = now.question
    if not question.by:
        return
    known = now.all_groups()
    assert len(kept) == min(question.limit, len(known))
    formula = metric(question.ordering).formula
    formula = formula.of if isinstance(formula, Share) else formula
    groups = now.groups(subjects_of(question)[0].name)
    values = {group: value_of(formula, rows, rows) for group, rows in groups.items()}
    left = [group for group in values if group not in kept]
    if left:
        assert kept <= set(values), "a group without the ordering metric displaces one that has it"
    for out in left:
        for inside in kept:
            assert not _is_before(values[out], values[inside], question), f"{out} before {inside}"


def _is_before(one: Expected, other: Expected, question: Question) -> bool:
    """Whether a group must come before another, whatever the errors."""
    if one.low is None or one.high is None:
        return False
    if other.low is None or other.high is None:
        return True
    return one.high < other.low if question.is_ascending else one.low > other.high


def _expected(now: Reference, kept: set[Group]) -> dict[tuple[Bucket, Group], Values]:
    found: dict[tuple[Bucket, Group], Values] = {}
    places = {place for of in now.places.values() for place in of}
    for bucket in {bucket for bucket, _ in places}:
        for group in kept:
            values = now.values(bucket, lambda g, group=group: g == group)  # type: ignore[misc]
            if values is not None:
                found[bucket, group] = values
        if now.question.with_others and now.question.by:
            values = now.values(bucket, lambda g: g not in kept)
            if values is not None:
                found[bucket, (OTHERS,) * len(now.question.by)] = values
    return found


def _moved(now: Reference, facts: Facts, kept: set[Group]) -> dict[tuple[Bucket, Group], Values]:
    """The earlier values under the buckets of the question."""
    question = now.question
    if question.by and not kept:
        return {}
    start, end = earlier_range(question)
    earlier = Reference(facts, question, start, end)
    expected = _expected(earlier, kept)
    if question.grain is Grain.TOTAL:
        return expected
    theirs = buckets_in(earlier, start, end)
    ours = buckets_in(now, question.start, question.end)
    under = dict(zip(theirs, ours, strict=False))
    return {(under[b], g): values for (b, g), values in expected.items() if b in under}


def _assert_values(
    question: Question,
    place: tuple[Bucket, Group],
    values: tuple[float | int | None, ...],
    expected: Values | None,
) -> None:
    for number, name in enumerate(question.metrics):
        if expected is None:
            assert values[number] in (0, None), f"{name} of {place} without rows"
        else:
            allowed = expected[number]
            assert allowed.allows(values[number]), f"{name} of {place}: {values[number]}, {allowed}"


def _assert_order(question: Question, rows: tuple[Row, ...]) -> None:
    buckets = [row.bucket for row in rows if row.bucket is not None]
    assert buckets == sorted(buckets)
    column = question.metrics.index(question.ordering)
    for one, other in pairwise(rows):
        first, second = one.values[column], other.values[column]
        if one.bucket != other.bucket or other.group == (OTHERS,) * len(question.by):
            continue
        assert first is not None or second is None
        if first is not None and second is not None:
            assert first <= second if question.is_ascending else first >= second
