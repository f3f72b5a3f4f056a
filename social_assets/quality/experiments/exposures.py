"""Whether the exposures of experiments can be trusted, and whether a treatment does harm.

Belongs here: what the checks of experiments compute from the tables of results, without Dagster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.recommend.experiments.results_tables import EXPERIMENTS, RESULTS
from social_assets.recommend.experiments.statistics.sample_ratio import MISMATCH_BELOW
from social_assets.warehouse.tables import exists

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class SampleRatio:
    """The numbers of units of an experiment's variants, and how likely they are."""

    experiment: str
    units: tuple[int, ...]
    p_value: float

    @property
    def is_right(self) -> bool:
        """Whether chance explains the numbers."""
        return self.p_value >= MISMATCH_BELOW

    def __str__(self) -> str:
        counts = " to ".join(f"{each:,}" for each in self.units)
        return f"{self.experiment}: {counts} units, p = {self.p_value:.3g}"


@dataclass(frozen=True)
class MisplacedUnits:
    """The units of an experiment that do not count, and those with another variant than theirs."""

    experiment: str
    counted: int
    in_several_variants: int
    in_unknown_variants: int
    assigned_otherwise: int
    without_id: int

    @property
    def is_right(self) -> bool:
        """Whether each unit was seen in the variant that it is assigned to, and in no other."""
        return not (
            self.in_several_variants
            or self.in_unknown_variants
            or self.assigned_otherwise
            or self.without_id
        )

    def __str__(self) -> str:
        return (
            f"{self.experiment}: of {self.counted:,} units {self.assigned_otherwise:,} in another"
            f" variant than assigned; left out: {self.in_several_variants:,} in several variants,"
            f" {self.in_unknown_variants:,} in undeclared ones, {self.without_id:,} exposures"
            " without a unit"
        )


@dataclass(frozen=True)
class Harm:
    """A guardrail that a treatment makes worse than tolerated."""

    experiment: str
    variant: str
    metric: str
    lift: float | None

    def __str__(self) -> str:
        by = "" if self.lift is None else f" by {self.lift:+.1%}"
        return f"{self.experiment}: {self.variant} changes {self.metric}{by}"


def sample_ratios(client: Client) -> list[SampleRatio]:
    """The numbers of units of each experiment that has some."""
    if not exists(client, EXPERIMENTS.name):
        return []
    rows = client.query(
        f"SELECT experiment, exposed, sample_ratio_p_value FROM {EXPERIMENTS.name}\n"
        "WHERE arraySum(exposed) > 0 ORDER BY experiment"
    ).result_rows
    return [SampleRatio(name, tuple(units), float(p)) for name, units, p in rows]


def misplaced_units(client: Client) -> list[MisplacedUnits]:
    """The units that do not count, of each experiment."""
    if not exists(client, EXPERIMENTS.name):
        return []
    rows = client.query(
        "SELECT experiment, arraySum(exposed), in_several_variants, in_unknown_variants,\n"
        f"  assigned_otherwise, without_id FROM {EXPERIMENTS.name} ORDER BY experiment"
    ).result_rows
    return [MisplacedUnits(*row) for row in rows]


def harms(client: Client) -> list[Harm]:
    """The guardrails that are worse than tolerated as of the last day of their experiment."""
    if not exists(client, RESULTS.name):
        return []
    rows = client.query(
        f"SELECT experiment, variant, metric, lift FROM {RESULTS.name}\n"
        f"WHERE is_harm AND (experiment, as_of) IN\n"
        f"  (SELECT experiment, max(as_of) FROM {RESULTS.name} GROUP BY experiment)\n"
        "ORDER BY experiment, variant, metric"
    ).result_rows
    return [Harm(*row) for row in rows]
