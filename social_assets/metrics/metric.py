"""A metric, and the subject that it belongs to.

Belongs here: the declarations' types. The declarations are in `subjects`, one module a subject;
`registry` finds them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from social_assets.metrics.dimension import Dimension
from social_assets.metrics.formula import Additivity, Atom, Formula
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Measure


@dataclass(frozen=True)
class RollupTable:
    """A table of partial sums and states. It has the subject's measures that `measures` names."""

    table: str
    """With its database, such as `rollups.engagement_daily`."""
    grain: Grain
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    time: str = "event_date"
    """The column of its grain: a Date, or the begin of the hour."""
    is_view: bool = False
    """Whether it keeps no rows, so that no invariant is checked of it."""
    columns_of: tuple[tuple[Atom, str], ...] = ()
    """Columns that keep one atom each: its measure, over those rows alone that its restriction
    names. The table need not have the dimensions of the restriction."""

    def column_of(self, atom: Atom) -> str | None:
        """The column that keeps this atom alone; None if there is none."""
        return dict(self.columns_of).get(atom)

    def has(self, atom: Atom, always: Collection[str] = ()) -> bool:
        """Whether the rows tell an atom. `always` are dimensions that every table tells."""
        if self.column_of(atom) is not None:
            return True
        restricted = {name for name, _ in atom.only}.difference(always)
        return atom.measure in self.measures and restricted.issubset(self.dimensions)


@dataclass(frozen=True)
class SourceTable:
    """A stream of a subject, and the fact that has its rows."""

    stream: str
    fact: str


@dataclass(frozen=True)
class Native:
    """The platform's own figure of the same thing."""

    metric: str
    why_it_differs: str


@dataclass(frozen=True, eq=False)
class Metric:
    """A number with a name. All that is known of it is declared here and nowhere else."""

    name: str
    title: str
    description: str
    unit: str
    formula: Formula
    source: str = ""
    """Who defines it so: a paper, or the documentation of a platform."""
    rises_is_good: bool | None = True
    """Whether a rise is an improvement; None if it is neither that nor the opposite."""
    native: Native | None = None
    needs: str = ""
    """What must be known for a value, if records alone do not give one."""

    @property
    def additivity(self) -> Additivity:
        """Whether values may be summed."""
        return self.formula.additivity

    @property
    def grains(self) -> tuple[Grain, ...]:
        """The grains at which it can be answered."""
        return self.formula.grains


@dataclass(frozen=True, eq=False)
class Subject:
    """What a fact tells: its dimensions and measures, the rollups of it, and its metrics."""

    name: str
    description: str
    fact: str
    """The fact's table, or a SELECT in parentheses; it has the columns event_date, event_time."""
    sources: tuple[SourceTable, ...]
    """The streams whose rows these are."""
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    rollups: tuple[RollupTable, ...]
    metrics: tuple[Metric, ...]
    owner: str = "team:engagement"
    filled_by: str = "load files with `social-assets load` or run `social-assets demo`"
    """What people do if nothing is there."""
    nothing: str = ""
    """What it means if nothing is there, where that is the rule."""

    def dimension(self, name: str) -> Dimension | None:
        """The dimension of this name; None if the subject has none."""
        return next((each for each in self.dimensions if each.name == name), None)

    def measure(self, name: str) -> Measure:
        """The measure of this name. Raises KeyError."""
        for each in self.measures:
            if each.name == name:
                return each
        raise KeyError(f"subject {self.name} has no measure {name}")
