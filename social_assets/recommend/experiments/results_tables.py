"""The tables `recsys.experiment_results` and `recsys.experiments`: what came of experiments.

Belongs here: their columns, filling them from analyses, and reading what is recommended. Both are
replaced as a whole, so that rows of late records are right too. They name no unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from social_assets.metrics.registry import metric
from social_assets.recommend.experiments.analysis import Analysis, ComparedMetric
from social_assets.recommend.experiments.recommendation import Action, Recommendation
from social_assets.recommend.model_lists import DATABASE
from social_assets.warehouse.served.serving_tables import (
    ServingColumn,
    ServingTable,
    replace_all_rows,
)
from social_assets.warehouse.tables import exists

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

_NAME, _NUMBER, _OPTIONAL = "LowCardinality(String)", "Float64", "Nullable(Float64)"

RESULTS = ServingTable(
    name=f"{DATABASE}.experiment_results",
    columns=(
        ServingColumn("experiment", _NAME, "The experiment"),
        ServingColumn("as_of", "Date", "The last day that counts, UTC"),
        ServingColumn("metric", _NAME, "The metric"),
        ServingColumn("unit", _NAME, "Unit of the metric"),
        ServingColumn("role", _NAME, "goal or guardrail"),
        ServingColumn("variant", _NAME, "The treatment"),
        ServingColumn("control", _NAME, "What it is compared with"),
        ServingColumn("units", "UInt64", "Units of the treatment whose outcome is complete"),
        ServingColumn("control_units", "UInt64", "The same of the control"),
        ServingColumn("mean", _NUMBER, "Mean of the treatment, adjusted by CUPED"),
        ServingColumn("control_mean", _NUMBER, "The same of the control"),
        ServingColumn("difference", _NUMBER, "Treatment less control"),
        ServingColumn("standard_error", _NUMBER, "Of the difference"),
        ServingColumn("difference_low", _NUMBER, "Lower bound that holds at every look"),
        ServingColumn("difference_high", _NUMBER, "Upper bound that holds at every look"),
        ServingColumn("one_look_low", _NUMBER, "Lower bound of 95 % for somebody who looks once"),
        ServingColumn("one_look_high", _NUMBER, "Upper bound of 95 % for somebody who looks once"),
        ServingColumn(
            "lift", _OPTIONAL, "Difference by the control; NULL if a mean is not above 0"
        ),
        ServingColumn("lift_low", _OPTIONAL, "Lower bound of the lift that holds at every look"),
        ServingColumn("lift_high", _OPTIONAL, "Upper bound of the lift that holds at every look"),
        ServingColumn("p_value", _NUMBER, "For one look"),
        ServingColumn("p_value_adjusted", _OPTIONAL, "Of a goal, with all that decide together"),
        ServingColumn("sequential_p_value", _NUMBER, "For any number of looks"),
        ServingColumn("variance_removed", _NUMBER, "Part of the variance that CUPED removes"),
        ServingColumn("is_harm", "Bool", "Whether a guardrail is worse than tolerated"),
        ServingColumn("computed_at", "DateTime64(6, 'UTC')", "When"),
    ),
    order="experiment, as_of, metric, variant",
    constraints=("one row an experiment, as_of, metric and variant",),
    meaning="Results of experiments: one row an experiment, day, metric and treatment",
)

EXPERIMENTS = ServingTable(
    name=f"{DATABASE}.experiments",
    columns=(
        ServingColumn("experiment", _NAME, "The experiment"),
        ServingColumn("title", "String", "Its title"),
        ServingColumn("as_of", "Date", "The last day that counts, UTC; 1970 if there is none"),
        ServingColumn("action", _NAME, "ship, keep, go on or stop"),
        ServingColumn("variant", _NAME, "The variant that is shipped or kept; empty for others"),
        ServingColumn("reason", "String", "Why"),
        ServingColumn("variants", "Array(String)", "The variants, the control first"),
        ServingColumn("exposed", "Array(UInt64)", "Units exposed to each, and to no other"),
        ServingColumn("counted", "Array(UInt64)", "Those of them whose outcome is complete"),
        ServingColumn("planned_units", "UInt64", "Units at which it is to be decided"),
        ServingColumn(
            "sample_ratio_p_value", _NUMBER, "Below 0.001 the numbers of units are wrong"
        ),
        ServingColumn("in_several_variants", "UInt64", "Units that are left out"),
        ServingColumn("in_unknown_variants", "UInt64", "Units seen only in undeclared variants"),
        ServingColumn(
            "assigned_otherwise", "UInt64", "Units seen in a variant not assigned to them"
        ),
        ServingColumn("without_id", "UInt64", "Exposures that name no unit"),
        ServingColumn("computed_at", "DateTime64(6, 'UTC')", "When"),
    ),
    order="experiment",
    constraints=("one row an experiment",),
    meaning="Experiments: one row each, with what to do and why",
)


@dataclass(frozen=True)
class Recorded:
    """What the table says of an experiment."""

    as_of: date
    recommendation: Recommendation


def write_analyses(
    client: Client, analyses: Sequence[Analysis], run: str, computed_at: datetime
) -> None:
    """Replace the rows of both tables. Repeating it changes nothing but the time."""
    results = [_result(of, row) for of in analyses for row in of.rows]
    states = [_state(of) for of in analyses]
    for table, rows in ((RESULTS, results), (EXPERIMENTS, states)):
        replace_all_rows(client, table, _arrow(table, rows, computed_at), run)


def read_recorded(client: Client) -> dict[str, Recorded]:
    """What is recommended of each experiment; nothing before the first analysis."""
    if not exists(client, EXPERIMENTS.name):
        return {}
    rows = client.query(
        f"SELECT experiment, as_of, action, variant, reason FROM {EXPERIMENTS.name}"
    ).result_rows
    return {
        name: Recorded(as_of, Recommendation(Action(action), variant, reason))
        for name, as_of, action, variant, reason in rows
    }


def _result(of: Analysis, row: ComparedMetric) -> dict[str, Any]:
    found = row.found
    lift = found.lift_always
    return {
        "experiment": of.experiment.name,
        "as_of": row.as_of,
        "metric": row.metric,
        "unit": metric(row.metric).unit,
        "role": "goal" if row.is_goal else "guardrail",
        "variant": row.variant,
        "control": of.experiment.control.name,
        "units": found.units,
        "control_units": found.control_units,
        "mean": found.mean,
        "control_mean": found.control_mean,
        "difference": found.difference,
        "standard_error": found.standard_error,
        "difference_low": found.always.low,
        "difference_high": found.always.high,
        "one_look_low": found.one_look.low,
        "one_look_high": found.one_look.high,
        "lift": found.lift,
        "lift_low": None if lift is None else lift.low,
        "lift_high": None if lift is None else lift.high,
        "p_value": found.p_value,
        "p_value_adjusted": row.adjusted_p_value,
        "sequential_p_value": found.sequential_p_value,
        "variance_removed": found.variance_removed,
        "is_harm": row.is_harm,
    }


def _state(of: Analysis) -> dict[str, Any]:
    names = [each.name for each in of.experiment.variants]
    exposures = of.exposures
    return {
        "experiment": of.experiment.name,
        "title": of.experiment.title,
        "as_of": of.as_of or date(1970, 1, 1),
        "action": of.recommendation.action.value,
        "variant": of.recommendation.variant,
        "reason": of.recommendation.reason,
        "variants": names,
        "exposed": [exposures.units[name] for name in names],
        "counted": [of.counted[name] for name in names],
        "planned_units": of.experiment.planned_units,
        "sample_ratio_p_value": of.sample_ratio_p_value,
        "in_several_variants": exposures.in_several_variants,
        "in_unknown_variants": exposures.in_unknown_variants,
        "assigned_otherwise": exposures.assigned_otherwise,
        "without_id": exposures.without_id,
    }


def _arrow(
    table: ServingTable, rows: Sequence[Mapping[str, Any]], computed_at: datetime
) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema([pa.field(each.name, each.arrow_type) for each in table.columns])
    return pa.Table.from_pylist([{**row, "computed_at": computed_at} for row in rows], schema)
