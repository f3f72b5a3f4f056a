"""What subjects declare of tables agrees with the dbt project that makes these tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from social_assets.metrics.dimension import TimePart
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import QUANTILES, Aggregate, Measure
from social_assets.metrics.metric import RollupTable, Subject
from social_assets.metrics.registry import metrics, subjects
from social_assets.warehouse import text_tables

DBT = Path(__file__).parents[3] / "dbt" / "models"
USED_BY_OTHERS = {"rollups.platform_daily", "rollups.post_counters_daily"}
"""The first has a stream more than the subject of activity; `collected_daily` shows the second."""

PAIRS = [(subject, rollup) for subject in subjects() for rollup in subject.rollups]


def columns(file: str) -> dict[str, dict[str, str]]:
    """The type of each column of each model of a file."""
    models: list[dict[str, Any]] = yaml.safe_load((DBT / file).read_text())["models"]
    return {
        model["name"]: {column["name"]: str(column["data_type"]) for column in model["columns"]}
        for model in models
    }


VIEWS = columns("rollups/collected/_collected_rollups.yml")
VIEWS |= {
    view.name: {column.name: column.type for column in view.columns} for view in text_tables.SUMS
}
FEATURES = columns("features/tables/_tables.yml")
ROLLUPS = columns("rollups/tables/_tables.yml") | VIEWS
for name in ("sessions_daily", "recommendation_positions_daily"):
    ROLLUPS[name] = FEATURES[name]
MORE_COLUMNS = {
    "collected_daily": {"event_time", "kind"},
}
"""What a table has besides: for the newest value of an account."""
FACTS = columns("star/facts/_facts.yml")
OF_VIEWS = {
    "star.": columns("star/collected/_collected.yml"),
    "rollups.": columns("rollups/enrichment/_enrichment.yml"),
}
COLLECTED = {layer + name: found for layer, of in OF_VIEWS.items() for name, found in of.items()}
COLLECTED[text_tables.SCORED_TEXTS] = {
    **{column.name: column.type for column in text_tables.COLUMNS},
    **{f"{name}_key": "FixedString(16)" for name in ("platform", "account", "post")},
}
for name in ("sessions", "recommendation_exposures", "unusual_sessions", "coordinated_texts"):
    COLLECTED[f"features.{name}"] = FEATURES[name]
"""What is the fact of a subject and has no stream of its own."""


def type_of(measure: Measure) -> str:
    if measure.aggregate.adds_up:
        return "SimpleAggregateFunction(sum,"
    if measure.aggregate is Aggregate.DISTINCT:
        return "AggregateFunction(uniqCombined,"
    return f"AggregateFunction(quantilesBFloat16({', '.join(map(str, QUANTILES))}),"


def type_of_view(measure: Measure) -> str:
    """A count of a fact's rows is unsigned: a union of both types has no sum."""
    if measure.aggregate is Aggregate.COUNT:
        return "UInt64"
    return "Float64" if measure.name == "score_sum" else "Int64"


def _without_layer(table: str) -> str:
    return table.partition(".")[2]


@pytest.mark.parametrize(("subject", "rollup"), PAIRS, ids=lambda each: getattr(each, "table", ""))
def test_a_rollup_has_the_columns_that_are_declared_and_no_others(
    subject: Subject, rollup: RollupTable
) -> None:
    found = ROLLUPS[_without_layer(rollup.table)]
    is_view = _without_layer(rollup.table) in VIEWS
    for name in rollup.measures:
        kind = type_of_view(subject.measure(name)) if is_view else type_of(subject.measure(name))
        assert found[name].startswith(kind), name
    declared = [subject.dimension(name) for name in rollup.dimensions]
    named = {each.column for each in declared if each and not isinstance(each, TimePart)}
    more = {*MORE_COLUMNS.get(_without_layer(rollup.table), ())}
    for atom, column in rollup.columns_of:
        assert found[column].startswith(type_of(subject.measure(atom.measure))), column
        more.add(column)
    assert set(found) == {"event_date", rollup.time, *named, *rollup.measures, *more}


@pytest.mark.parametrize(("subject", "rollup"), PAIRS, ids=lambda each: getattr(each, "table", ""))
def test_the_grain_of_a_rollup_is_that_of_its_time(subject: Subject, rollup: RollupTable) -> None:
    del subject
    time = ROLLUPS[_without_layer(rollup.table)][rollup.time]
    assert time == ("DateTime('UTC')" if rollup.grain is Grain.HOUR else "Date")
    assert rollup.table.endswith("_hourly" if rollup.grain is Grain.HOUR else "_daily")


def test_every_rollup_answers_some_metric() -> None:
    declared = {rollup.table for _, rollup in PAIRS}
    named = {_without_layer(table) for table in declared | USED_BY_OTHERS}
    assert named == set(ROLLUPS)


@pytest.mark.parametrize("subject", subjects(), ids=lambda each: each.name)
def test_a_subject_reads_facts_with_the_columns_that_it_names(subject: Subject) -> None:
    of_view = COLLECTED.get(subject.fact)
    if of_view is not None:
        columns_of = {each.column for each in subject.dimensions if not isinstance(each, TimePart)}
        columns_of |= {each.of_fact for each in subject.measures if each.of_fact}
        assert columns_of <= set(of_view)
        return
    for source in subject.sources:
        assert source.fact in subject.fact
        assert source.fact.removeprefix("star.") in FACTS
    if len(subject.sources) == 1:
        found = FACTS[subject.fact.removeprefix("star.")]
        for dimension in subject.dimensions:
            assert isinstance(dimension, TimePart) or dimension.column in found
        for measure in subject.measures:
            assert not measure.of_fact or measure.of_fact in found


def test_units_are_few_and_the_same_thing_has_the_same_unit() -> None:
    units = {each.unit for each in metrics()}
    assert units == {
        "attendances", "bursts", "clicks", "comments", "events", "followers", "follows",
        "impressions", "interactions", "items", "likes", "minutes", "points", "posts", "ratio",
        "records", "score", "seconds", "sessions", "shares", "texts", "users", "value", "videos",
        "viewers", "views", "visits",
    }  # fmt: skip


def test_every_metric_is_described() -> None:
    for each in metrics():
        assert not each.title[0].islower(), each.name
        assert len(each.description) > len("Users"), each.name
        assert not each.description.endswith("."), each.name
