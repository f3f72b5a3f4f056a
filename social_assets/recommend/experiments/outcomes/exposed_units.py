"""The units of an experiment: the first exposure of each, and the exposures that do not count.

Belongs here: reading `cleaned.experiment_exposures`. A unit that was seen in two variants is left
out of every comparison and counted: what it did can't be told to either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from social_assets.metrics.users import UNKNOWN
from social_assets.recommend.experiments.assignment import variant_sql
from social_assets.recommend.experiments.definition import Experiment
from social_assets.warehouse.ddl import DATABASE

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

EXPOSURES = f"{DATABASE}.experiment_exposures"
VARIANT, FIRST_EXPOSED = "unit_variant", "first_exposed"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ExposureCounts:
    """The units of an experiment up to a day."""

    units: Mapping[str, int]
    """Of each variant, those that were seen in it alone."""
    in_several_variants: int = 0
    in_unknown_variants: int = 0
    """Seen only in variants that are not declared."""
    assigned_otherwise: int = 0
    """Seen in a variant that the assignment does not give them."""
    without_id: int = 0
    """Exposures that name no unit."""
    first: date | None = None
    """The day of the first exposure."""

    @property
    def total(self) -> int:
        """All units that count."""
        return sum(self.units.values())


def midnight(day: date) -> datetime:
    """The begin of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def instant_sql(at: datetime) -> str:
    """SQL of an instant."""
    return f"toDateTime64('{at:%Y-%m-%d %H:%M:%S}', 6, 'UTC')"


def units_sql(experiment: Experiment, as_of: date) -> str:
    """A SELECT of the units that count as of the end of a day: key, variant, first exposure."""
    unit = experiment.unit
    names = ", ".join(f"'{each.name}'" for each in experiment.variants)
    matured = f"{FIRST_EXPOSED} + {seconds_sql(experiment.window)}"
    return (
        f"SELECT MD5({unit.id_column}) AS {unit.key_column}, any(variant) AS {VARIANT},\n"
        f"  min(event_time) AS {FIRST_EXPOSED}\n"
        f"FROM {EXPOSURES}\n"
        f"WHERE {_counted(experiment)}\n"
        f"GROUP BY {unit.id_column}\n"
        f"HAVING uniqExact(variant) = 1 AND {VARIANT} IN ({names})\n"
        f"  AND {matured} <= {instant_sql(midnight(as_of) + _DAY)}"
    )


def seconds_sql(duration: timedelta) -> str:
    """SQL of an interval."""
    return f"toIntervalSecond({int(duration.total_seconds())})"


def read_exposures(client: Client, experiment: Experiment, as_of: date) -> ExposureCounts:
    """Count the units that were exposed up to the end of a day."""
    unit = experiment.unit.id_column
    until = f"event_time < {instant_sql(midnight(as_of) + _DAY)}"
    rows = client.query(
        "SELECT if(length(variants) = 1, variants[1], '') AS variant, length(variants) > 1,\n"
        "  count(), countIf(variants[1] != assigned), min(first_at)\n"
        f"FROM (SELECT groupUniqArray(variant) AS variants, min(event_time) AS first_at,\n"
        f"  {variant_sql(experiment, unit)} AS assigned\n"
        f"  FROM {EXPOSURES} WHERE {_counted(experiment)} AND {until} GROUP BY {unit})\n"
        "GROUP BY ALL"
    ).result_rows
    [(without_id,)] = client.query(
        f"SELECT countIf(ifNull({unit}, '') IN ('', '{UNKNOWN}')) FROM {EXPOSURES}\n"
        f"WHERE {_of(experiment)} AND {until}"
    ).result_rows
    known = {each.name: 0 for each in experiment.variants}
    several = unknown = otherwise = 0
    firsts: list[date] = []
    for variant, is_several, units, misassigned, first_at in rows:
        firsts.append(first_at.date())
        if is_several:
            several += units
        elif variant in known:
            known[variant] += units
            otherwise += misassigned
        else:
            unknown += units
    first = min(firsts, default=None)
    return ExposureCounts(known, several, unknown, otherwise, int(without_id), first)


def _counted(experiment: Experiment) -> str:
    """SQL of the exposures that count and name a unit."""
    unit = experiment.unit.id_column
    return f"{_of(experiment)} AND ifNull({unit}, '') NOT IN ('', '{UNKNOWN}')"


def _of(experiment: Experiment) -> str:
    """SQL of the exposures in the experiment's days."""
    first = f"event_date >= '{experiment.start}'"
    last = f" AND event_date <= '{experiment.end}'" if experiment.end else ""
    # Names of experiments are of small letters, digits and underscores.
    return f"experiment = '{experiment.name}' AND {first}{last}"
