"""The formulas of metrics: sums, levels, distinct counts, quantiles, and ratios of those.

Belongs here: which partial values a formula needs, its SQL over them, and how it reads in words.
Formulas of one subject alone: a ratio never averages ratios, since both its parts are computed over
all rows of a group first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from social_assets.metrics.grain import ANSWERED, Grain
from social_assets.metrics.measure import QUANTILES


class Additivity(Enum):
    """Whether the value of a group may be summed with that of another group."""

    ADDITIVE = "additive"
    """Sums over time and over every dimension are right."""
    FROM_STATES = "from_states"
    """Never summed: the value of a larger group comes from merged states, within a stated error."""
    RATIO = "ratio"
    """Never summed or averaged: a larger group divides its own sums."""
    LEVEL = "level"
    """Summed over accounts, never over time: a longer period has its last values."""
    AS_REPORTED = "as_reported"
    """Only for the groups and periods for which the platform itself reports it."""


@dataclass(frozen=True)
class Atom:
    """A measure over the rows in which dimensions have certain values: what a SELECT computes."""

    measure: str
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()


_FROM_DAYS = tuple(grain for grain in ANSWERED if grain >= Grain.DAY)

Columns = Callable[[Atom], str]
"""The SQL column that holds an atom's final value."""


def only(**values: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The restriction of a formula to rows with these values: `only(metric_type=("like",))`."""
    return tuple(sorted(values.items()))


class Formula(ABC):
    """A value over the rows of a group."""

    additivity: Additivity
    grains: tuple[Grain, ...] = ANSWERED
    """The grains at which it can be answered."""
    of_nothing: int | None = None
    """The value over no rows: 0 for sums and counts, none for others."""

    @abstractmethod
    def atoms(self) -> Iterator[Atom]:
        """What it needs."""

    @abstractmethod
    def sql(self, column: Columns) -> str:
        """Its SQL over the final values of its atoms. Null where the value does not exist."""

    @abstractmethod
    def in_words(self) -> str:
        """How it is computed, for documentation and tooltips."""


@dataclass(frozen=True)
class Total(Formula):
    """The sum of a measure that adds up."""

    measure: str
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    additivity = Additivity.ADDITIVE
    of_nothing = 0

    @property
    def atom(self) -> Atom:
        """The one value that it needs."""
        return Atom(self.measure, self.only)

    def atoms(self) -> Iterator[Atom]:  # noqa: D102 - as declared
        yield self.atom

    def sql(self, column: Columns) -> str:  # noqa: D102
        return column(self.atom)

    def in_words(self) -> str:  # noqa: D102
        return f"sum of {_words(self.measure)}{_restriction(self.only)}"


@dataclass(frozen=True)
class Distinct(Formula):
    """The number of distinct members, from merged states."""

    measure: str
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    additivity = Additivity.FROM_STATES
    of_nothing = 0

    @property
    def atom(self) -> Atom:
        """The one value that it needs."""
        return Atom(self.measure, self.only)

    def atoms(self) -> Iterator[Atom]:  # noqa: D102
        yield self.atom

    def sql(self, column: Columns) -> str:  # noqa: D102
        return column(self.atom)

    def in_words(self) -> str:  # noqa: D102
        return f"distinct {_words(self.measure)}{_restriction(self.only)}"


@dataclass(frozen=True)
class Quantile(Formula):
    """A quantile, from merged states. `level` is one of `measure.QUANTILES`."""

    measure: str
    level: float
    additivity = Additivity.FROM_STATES

    def __post_init__(self) -> None:
        if self.level not in QUANTILES:
            raise ValueError(f"rollups keep the quantiles {QUANTILES}, not {self.level}")

    def atoms(self) -> Iterator[Atom]:  # noqa: D102
        yield Atom(self.measure)

    def sql(self, column: Columns) -> str:  # noqa: D102
        value = f"{column(Atom(self.measure))}[{QUANTILES.index(self.level) + 1}]"
        return f"if(isNaN({value}), NULL, {value})"

    def in_words(self) -> str:  # noqa: D102
        return f"{self.level:.0%} quantile of {_words(self.measure)}"


@dataclass(frozen=True)
class Weighted(Formula):
    """A weighted sum of totals."""

    terms: tuple[tuple[float, Total], ...]
    additivity = Additivity.ADDITIVE
    of_nothing = 0

    def atoms(self) -> Iterator[Atom]:  # noqa: D102
        for _, total in self.terms:
            yield from total.atoms()

    def sql(self, column: Columns) -> str:  # noqa: D102
        return f"({' + '.join(self._term(w, t.sql(column)) for w, t in self.terms)})"

    def in_words(self) -> str:  # noqa: D102
        return " + ".join(
            t.in_words() if w == 1 else f"{w:g} x {t.in_words()}" for w, t in self.terms
        )

    @staticmethod
    def _term(weight: float, value: str) -> str:
        return value if weight == 1 else f"{weight!r} * {value}"


@dataclass(frozen=True)
class Ratio(Formula):
    """One value by another, both over all rows of the group; null where the divisor is 0."""

    numerator: Formula
    denominator: Formula
    additivity = Additivity.RATIO

    def atoms(self) -> Iterator[Atom]:  # noqa: D102
        yield from self.numerator.atoms()
        yield from self.denominator.atoms()

    def sql(self, column: Columns) -> str:  # noqa: D102
        return f"{self.numerator.sql(column)} / nullIf({self.denominator.sql(column)}, 0)"

    def in_words(self) -> str:  # noqa: D102
        return f"({self.numerator.in_words()}) / ({self.denominator.in_words()})"


@dataclass(frozen=True)
class Level(Formula):
    """What accounts have at the end of the period: the newest value of each, summed."""

    measure: str
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    additivity = Additivity.LEVEL
    grains = _FROM_DAYS

    def atoms(self) -> Iterator[Atom]:  # noqa: D102
        yield Atom(self.measure, self.only)

    def sql(self, column: Columns) -> str:  # noqa: D102
        return column(Atom(self.measure, self.only))

    def in_words(self) -> str:  # noqa: D102
        restriction = _restriction(self.only)
        return f"newest {_words(self.measure)} of each account{restriction}, summed over accounts"


@dataclass(frozen=True)
class Growth(Formula):
    """What a level gained in the period, by what it was before; null where that is 0 or unknown."""

    gained: Total
    level: Level
    additivity = Additivity.RATIO
    grains = _FROM_DAYS

    def atoms(self) -> Iterator[Atom]:  # noqa: D102
        yield from self.gained.atoms()
        yield from self.level.atoms()

    def sql(self, column: Columns) -> str:  # noqa: D102
        gained = self.gained.sql(column)
        return f"{gained} / nullIf({self.level.sql(column)} - {gained}, 0)"

    def in_words(self) -> str:  # noqa: D102
        gained = self.gained.in_words()
        return f"({gained}) / ({self.level.in_words()}, less {gained})"


@dataclass(frozen=True)
class Share(Formula):
    """The part that a group has in the sum over all groups of the answer's bucket."""

    of: Total | Weighted
    additivity = Additivity.RATIO

    def atoms(self) -> Iterator[Atom]:  # noqa: D102
        yield from self.of.atoms()

    def sql(self, column: Columns) -> str:  # noqa: D102
        value = self.of.sql(column)
        return f"{value} / nullIf(sum({value}) OVER (PARTITION BY bucket), 0)"

    def in_words(self) -> str:  # noqa: D102
        return f"({self.of.in_words()}) / (the same over all groups of the answer)"


@dataclass(frozen=True)
class AsReported(Formula):
    """A figure of the platform that holds only for single members and periods."""

    total: Total
    by: tuple[str, ...] = field(default=())
    """The dimensions of which a question must name one member, or divide by them."""
    additivity = Additivity.AS_REPORTED
    grains = (Grain.DAY,)

    def atoms(self) -> Iterator[Atom]:  # noqa: D102
        yield from self.total.atoms()

    def sql(self, column: Columns) -> str:  # noqa: D102
        return self.total.sql(column)

    def in_words(self) -> str:  # noqa: D102
        return f"{self.total.in_words()}, only by {' and '.join(self.by)} and by day"


def _words(measure: str) -> str:
    """What a measure's column is of: `minutes` for `minutes_sum`."""
    return measure.removesuffix("_sum").removesuffix("_quantiles").replace("_", " ")


def _restriction(only: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    parts = [f"{name} is {' or '.join(values)}" for name, values in only]
    return f" where {' and '.join(parts)}" if parts else ""
