"""Point-in-time joins: each row with the features that were known at its time, and not a later one.

Belongs here: the SQL of the join, and running it on rows that a caller has. ASOF LEFT JOIN takes of
each history the newest row with `known_at` up to the row's time; one that has expired gives null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from social_assets.features.errors import FeatureError
from social_assets.features.feature_view import Entity, FeatureView
from social_assets.features.history import EXPIRES_AT, KNOWN_AT
from social_assets.features.registry import views_with

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

ROWS = "entity_rows"
SETTINGS: Mapping[str, int] = {"join_use_nulls": 1}
"""A row without history has null, not 0."""


@dataclass(frozen=True)
class PointInTime:
    """Rows with a time, and the features that are wanted of their entities.

    `rows` is SQL of a table or subquery with `platform`, `id`, `at` (DateTime64(6, 'UTC')) and the
    columns of `kept`, such as a label.
    """

    entity: Entity
    rows: str
    features: tuple[str, ...]
    first: date
    """The day of the earliest row."""
    kept: tuple[str, ...] = ()

    @property
    def views(self) -> list[FeatureView]:
        """The views that the features come from. Raises FeatureError for an unknown feature."""
        return views_with(self.entity, self.features)

    def sql(self) -> str:
        """The SELECT: the rows' columns, a column a feature, and `<view>__known_at`.

        A row with a time at which nothing was known has nulls.
        """
        key = self.entity.key
        text = (
            f"SELECT platform, id, at, {''.join(f'{each}, ' for each in self.kept)}\n"
            f"  toFixedString(MD5(platform), 16) AS platform_key,\n"
            f"  toFixedString(MD5(id), 16) AS {key} FROM {self.rows}"
        )
        shown: dict[str, str] = {}
        for view in self.views:
            known = f"{view.name}__{KNOWN_AT}"
            wanted = [each for each in view.features if each.name in self.features]
            values = {
                each.name: f"if(at < h.{EXPIRES_AT}, {each.sql(f'h.{each.name}', 'at')}, NULL)"
                for each in wanted
            }
            values[known] = f"if(at < h.{EXPIRES_AT}, h.{KNOWN_AT}, NULL)"
            shown |= dict.fromkeys(values, "")
            listed = ", ".join(f"{sql} AS {name}" for name, sql in values.items())
            text = (
                f"SELECT r.*, {listed}\nFROM ({text}) AS r\n"
                f"ASOF LEFT JOIN ({view.rows(self._only(view))}) AS h\n"
                f"ON r.platform_key = h.platform_key AND r.{key} = h.{key} AND r.at >= h.{KNOWN_AT}"
            )
        known_at = [name for name in shown if name.endswith(f"__{KNOWN_AT}")]
        listed = ", ".join(("platform", "id", "at", *self.kept, *self.features, *known_at))
        return f"SELECT {listed}\nFROM ({text})"

    def _only(self, view: FeatureView) -> str:
        """The rows of facts that the join needs: those of the entities, on the days that count."""
        key = self.entity.key
        return (
            f"event_date >= '{view.first_day(self.first)}' AND (platform_key, {key}) IN (\n"
            "  SELECT toFixedString(MD5(platform), 16), toFixedString(MD5(id), 16)"
            f" FROM {self.rows})"
        )


def training_set(
    client: Client,
    entity: Entity,
    rows: pa.Table,
    features: Sequence[str],
    label: str | None = None,
) -> pa.Table:
    """The rows with the features that were known at the time of each.

    `rows` has `platform`, `id`, `at` (with a time zone), and the column `label`, if one is named.
    The answer has the rows in the order of platform, id and time. Raises FeatureError.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    from clickhouse_connect.driver.external import ExternalData

    kept = () if label is None else (label,)
    for name in ("platform", "id", "at", *kept):
        if name not in rows.column_names:
            raise FeatureError(f"the rows have no column {name}; they have {rows.column_names}")
    kind = rows.schema.field("at").type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise FeatureError(f"the column at is of type {kind}; it must be a time with a time zone")
    if label in features:
        raise FeatureError(f"{label} is a label and a feature; rename the label")
    at = rows["at"].cast(pa.timestamp("us", "UTC"))
    given = rows.select(["platform", "id", *kept]).add_column(2, "at", at)
    earliest = pc.min(at).as_py()
    first = date(1970, 4, 1) if earliest is None else earliest.date()
    question = PointInTime(entity, ROWS, tuple(features), first, kept)
    sink = pa.BufferOutputStream()
    pq.write_table(given, sink)
    external = ExternalData(
        file_name=f"{ROWS}.parquet",
        data=sink.getvalue().to_pybytes(),
        fmt="Parquet",
        structure=_structure(given),
    )
    found: pa.Table = client.query_arrow(
        f"{question.sql()}\nORDER BY platform, id, at",
        external_data=external,
        settings=dict(SETTINGS),
        use_strings=True,
    )
    return found


def _structure(table: pa.Table) -> str:
    columns = [f"{field.name} {_type(field.type)}" for field in table.schema]
    return ", ".join(columns)


def _type(kind: Any) -> str:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return "DateTime64(6, 'UTC')"
    if pa.types.is_boolean(kind):
        return "Bool"
    if pa.types.is_integer(kind):
        return "Int64"
    if pa.types.is_floating(kind):
        return "Float64"
    return "String"
