"""Combinations of the values of many columns: equal to Python's, and of thousands of parts."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pytest

from social_assets.transform.values.combined import any_of, sum_of


def value_of(expression: ir.Value) -> object:
    query = ibis.duckdb.compile(expression.name("it"))
    connection = ibis.duckdb.connect()
    return connection.raw_sql(query).fetchone()[0]


@pytest.mark.parametrize("count", [0, 1, 2, 50, 51, 2_600])
def test_any_of_is_true_if_one_of_any_number_of_conditions_is(count: int) -> None:
    none = [ibis.literal(False)] * count
    assert value_of(any_of(none)) is False
    for place in {0, count // 2, count - 1} if count else ():
        assert value_of(any_of([*none[:place], ibis.literal(True), *none[place + 1 :]])) is True


def test_an_unknown_condition_is_unknown_unless_another_one_holds() -> None:
    unknown, holds = ibis.null("boolean"), ibis.literal(True)
    assert value_of(any_of([unknown] * 60)) is None
    assert value_of(any_of([*[unknown] * 60, holds])) is True


@pytest.mark.parametrize("count", [0, 1, 50, 51, 2_600])
def test_sum_of_adds_any_number_of_numbers(count: int) -> None:
    assert value_of(sum_of(map(ibis.literal, range(count)))) == sum(range(count))
