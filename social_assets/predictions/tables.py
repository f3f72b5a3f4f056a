"""The tables `predictions.addiction_models` and `predictions.addiction_groups`.

Belongs here: their columns, and filling them. Both are replaced as a whole. They tell of models and
of groups of ten people or more, and name no user: what a person has not said of themselves is not
stored as if they had.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from social_assets.predictions.evaluation import RatingEvaluation
from social_assets.warehouse.served.serving_tables import (
    ServingColumn,
    ServingTable,
    replace_all_rows,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

_NAME, _NUMBER, _COUNT = "LowCardinality(String)", "Float64", "UInt64"
_COMPUTED = ServingColumn("computed_at", "DateTime64(6, 'UTC')", "When")

MODELS = ServingTable(
    name="predictions.addiction_models",
    columns=(
        ServingColumn("model", _NAME, "mean, linear or boosted"),
        ServingColumn("is_champion", "Bool", "Whether it was chosen: one, or none"),
        ServingColumn("rows", _COUNT, "Rows by which it was evaluated"),
        ServingColumn("users", _COUNT, "People by whom it was evaluated"),
        ServingColumn("mae", _NUMBER, "Mean absolute error on people it has not seen, points"),
        ServingColumn("rmse", _NUMBER, "Root of the mean squared error on them, points"),
        ServingColumn("gain", _NUMBER, "Squared error less than the mean's, squared points"),
        ServingColumn("gain_low", _NUMBER, "Lower bound of its interval of 95 %"),
        ServingColumn("gain_high", _NUMBER, "Upper bound of its interval of 95 %"),
        _COMPUTED,
    ),
    order="model",
    constraints=("one row a model",),
    meaning="Errors of the predicted addiction level of people no model has seen: one row a model",
)

GROUPS = ServingTable(
    name="predictions.addiction_groups",
    columns=(
        ServingColumn("by", _NAME, "gender or age_group"),
        ServingColumn("group", _NAME, "The group"),
        ServingColumn("users", _COUNT, "People of the group"),
        ServingColumn("mae", _NUMBER, "Mean absolute error of the leading model, points"),
        ServingColumn("bias", _NUMBER, "Mean of predicted minus rated, points"),
        _COMPUTED,
    ),
    order="by, group",
    constraints=("one row a group of ten people or more",),
    meaning="Errors of the leading model by group of people: one row a group",
)


def write_evaluation(
    client: Client, found: RatingEvaluation, run: str, computed_at: datetime
) -> int:
    """Replace the rows of both tables; returns those of models. Repeating it changes nothing."""
    models = [
        {
            "model": each.model,
            "is_champion": each.model == found.champion,
            "rows": found.rows,
            "users": found.users,
            "mae": each.mae,
            "rmse": each.rmse,
            "gain": each.over_mean.mean,
            "gain_low": each.over_mean.low,
            "gain_high": each.over_mean.high,
            "computed_at": computed_at,
        }
        for each in found.models
    ]
    groups = [
        {
            "by": each.by,
            "group": each.group,
            "users": each.users,
            "mae": each.mae,
            "bias": each.bias,
            "computed_at": computed_at,
        }
        for each in found.groups
    ]
    replace_all_rows(client, MODELS, _table(MODELS, models), run)
    replace_all_rows(client, GROUPS, _table(GROUPS, groups), run)
    return len(models)


def _table(table: ServingTable, rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema([(each.name, each.arrow_type) for each in table.columns])
    return pa.Table.from_pylist(rows, schema)
