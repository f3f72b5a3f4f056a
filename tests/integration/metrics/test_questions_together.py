"""Questions that share a query: each has the answer that it has alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from social_assets.metrics.answer import Answer, Value
from social_assets.metrics.ask import ask
from social_assets.metrics.ask_together import ask_together, family_of
from social_assets.metrics.formula import Additivity, Share
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import ComparedRange, Filter, Question, subjects_of
from tests.integration.metrics import records
from tests.integration.metrics.questions import questions
from tests.integration.warehouse.conftest import WarehouseUnderTest

_CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
_EXACT = (Additivity.ADDITIVE, Additivity.RATIO)
_LIKES = Question(
    ("likes",),
    records.FIRST,
    records.FIRST.replace(year=records.FIRST.year + 1),
    grain=Grain.DAY,
    by=("platform",),
)


@st.composite
def families(draw: st.DrawFn) -> list[Question]:
    """Questions that differ in metrics, order, limit, and in the value of one filter."""
    base = draw(questions())
    (subject, *_) = subjects_of(base)
    known = [
        each.name
        for each in subject.metrics
        if each.additivity in _EXACT
        and base.grain in each.grains
        and not isinstance(each.formula, Share)
    ]
    assume(known)
    divisible = [name for name in ("account", "platform", "post") if subject.dimension(name)]
    divided = draw(st.sampled_from(("", *divisible)))
    base = replace(
        base,
        where=tuple(e for e in base.where if subject.dimension(e.dimension)),
        by=tuple(name for name in base.by if subject.dimension(name) and name != divided),
        with_others=False,
        compare=None if divided else base.compare,
    )
    values = {
        "account": (*records.ACCOUNTS, "nobody", "' OR 1=1 --"),
        "platform": records.PLATFORMS,
        "post": records.POSTS,
    }
    found = []
    for _ in range(draw(st.integers(2, 5))):
        metrics = tuple(draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)))
        where = tuple(each for each in base.where if each.dimension != divided)
        if divided:
            where = (Filter(divided, (draw(st.sampled_from(values[divided])),)), *where)
        found.append(
            replace(
                base,
                metrics=metrics,
                where=where,
                order_by=draw(st.sampled_from((None, *metrics))),
                is_ascending=draw(st.booleans()),
                limit=draw(st.sampled_from((1, 3, 1_000))),
            )
        )
    return found


@given(family=families())
@settings(max_examples=10, suppress_health_check=_CHECKS, derandomize=True)
def test_questions_of_a_family_are_answered_together_as_alone(
    filled: WarehouseUnderTest, family: list[Question]
) -> None:
    examine(filled, family)


@pytest.mark.endurance
@given(family=families())
@settings(max_examples=300, suppress_health_check=_CHECKS, derandomize=True)
def test_hundreds_of_families_are_answered_together_as_alone(
    filled: WarehouseUnderTest, family: list[Question]
) -> None:
    examine(filled, family)


def examine(filled: WarehouseUnderTest, family: list[Question]) -> None:
    """Ask a family together, and each of its questions alone."""
    assert len({family_of(each) for each in family}) == 1
    if family_of(family[0]) is None:
        return
    for question, answer in zip(family, ask_together(filled.client, family), strict=True):
        if answer is not None:
            assert_same(answer, ask(filled.client, question))


def test_accounts_and_metrics_share_one_query(filled: WarehouseUnderTest) -> None:
    asked = [
        replace(_LIKES, metrics=(name,), where=(Filter("account", (account,)),))
        for name in ("likes", "views")
        for account in records.ACCOUNTS
    ]
    answers = ask_together(filled.client, asked)
    assert len({answer.asked_at for answer in answers if answer is not None}) == 1
    assert None not in answers
    assert any(answer.rows for answer in answers if answer is not None)


def test_a_question_with_more_groups_than_its_limit_is_asked_alone(
    filled: WarehouseUnderTest,
) -> None:
    cut, whole = ask_together(filled.client, [replace(_LIKES, limit=1), _LIKES])
    assert cut is None and whole is not None


def test_what_one_query_cannot_answer_exactly_has_no_family() -> None:
    assert family_of(replace(_LIKES, metrics=("likes", "unique_users"))) is None
    assert family_of(replace(_LIKES, metrics=("share_of_voice",))) is None
    assert family_of(replace(_LIKES, metrics=("share_of_time",))) is None
    assert family_of(replace(_LIKES, with_others=True)) is None


def test_questions_about_other_accounts_are_of_other_families() -> None:
    one = replace(_LIKES, accounts=(("YouTube", "1"),))
    other = replace(_LIKES, accounts=(("YouTube", "2"),))
    assert len({family_of(each) for each in (one, other, _LIKES)}) == 3


def test_compared_questions_share_a_query_if_only_their_metrics_differ() -> None:
    filtered = replace(_LIKES, where=(Filter("account", ("1",)),), compare=ComparedRange.YEAR)
    other = replace(filtered, where=(Filter("account", ("2",)),))
    assert family_of(filtered) == family_of(replace(filtered, metrics=("views",)))
    assert family_of(filtered) != family_of(other)


def assert_same(together: Answer, alone: Answer) -> None:
    """All but the cost and the moment. Sums of floats depend on the order of threads."""
    assert together.question == alone.question and together.metrics == alone.metrics
    assert together.tables == alone.tables
    places = [(row.bucket, row.group) for row in together.rows]
    assert places == [(row.bucket, row.group) for row in alone.rows]
    for one, other in zip(together.rows, alone.rows, strict=True):
        _assert_equal((*one.values, *one.compared), (*other.values, *other.compared))


def _assert_equal(one: tuple[Value, ...], other: tuple[Value, ...]) -> None:
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        if isinstance(mine, float) and isinstance(theirs, float):
            assert math.isclose(mine, theirs, rel_tol=1e-12)
        else:
            assert mine == theirs
