"""Which tables answer a question about one subject, and for which parts of the range.

Belongs here: the choice. The rules: a table answers if it has every dimension and measure that the
question needs, and if no row of it straddles the edge of a bucket or of a part of time that it asks
for; of those, the one with the fewest dimensions has the fewest rows. The fact answers what no
rollup can.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from social_assets.metrics.dimension import Dimension, TimePart
from social_assets.metrics.formula import Atom
from social_assets.metrics.grain import Grain
from social_assets.metrics.metric import Metric, RollupTable, Subject
from social_assets.metrics.planner.buckets import bucket_edges, offsets_in
from social_assets.metrics.planner.cover import Range, cover
from social_assets.metrics.planner.question import OF_ACCOUNTS, Question, metrics_of


@dataclass(frozen=True)
class Piece:
    """A part of the range, and the table that answers it; the fact if `rollup` is None."""

    rollup: RollupTable | None
    ranges: tuple[Range, ...]


@dataclass(frozen=True)
class Kept:
    """Groups that are answered whatever their values, since another query has chosen them."""

    groups: tuple[tuple[str, ...], ...]
    """Values of the dimensions as queries return them: keys in hex."""
    more: int
    """How many further groups may be answered."""


@dataclass(frozen=True)
class Plan:
    """How a question about one subject is answered."""

    question: Question
    subject: Subject
    metrics: tuple[Metric, ...]
    by: tuple[Dimension, ...]
    atoms: tuple[Atom, ...]
    pieces: tuple[Piece, ...]
    kept: Kept | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that answer, in the order of their grain."""
        return tuple(
            piece.rollup.table if piece.rollup else self.subject.fact for piece in self.pieces
        )


def plan(question: Question, subject: Subject, kept: Kept | None = None) -> Plan:
    """The plan for the metrics of a checked question that belong to a subject."""
    asked = metrics_of(question, subject)
    by = tuple(found for name in question.by if (found := subject.dimension(name)))
    atoms = tuple(dict.fromkeys(atom for each in asked for atom in each.formula.atoms()))
    dimensions = _dimensions_of(question)
    restricted = {name for atom in atoms for name, _ in atom.only}
    named = [subject.dimension(name) for name in dimensions | restricted]
    parts = {each.name: each for each in named if isinstance(each, TimePart)}
    columns = dimensions.difference(parts)
    tables = {
        grain: table
        for grain in (Grain.HOUR, Grain.DAY, Grain.MONTH)
        if grain <= question.grain
        and all(_tells(grain, part, question) for part in parts.values())
        and (table := _smallest(subject.rollups, grain, columns, atoms, parts))
    }
    covered = cover(bucket_edges(question), tuple(tables))
    pieces = tuple(
        Piece(tables.get(grain), ranges) for grain, ranges in sorted(covered.items(), reverse=True)
    )
    return Plan(question, subject, asked, by, atoms, pieces, kept)


def _tells(grain: Grain, part: TimePart, question: Question) -> bool:
    """Whether no row of a table of this grain straddles two hours or weekdays of the zone."""
    if grain > part.needs:
        return False
    step = timedelta(days=1) if grain is Grain.DAY else timedelta(hours=1)
    return all(offset % step == timedelta() for _, offset in offsets_in(question))


def _dimensions_of(question: Question) -> set[str]:
    return {
        *question.by,
        *(OF_ACCOUNTS if question.accounts is not None else ()),
        *(each.dimension for each in question.where),
    }


def _smallest(
    rollups: Iterable[RollupTable],
    grain: Grain,
    dimensions: set[str],
    atoms: Iterable[Atom],
    parts: Collection[str],
) -> RollupTable | None:
    """The table with the fewest dimensions that tells all atoms; parts of time it need not name."""
    fitting = [
        each
        for each in rollups
        if each.grain is grain
        and dimensions.issubset(each.dimensions)
        and all(each.has(atom, parts) for atom in atoms)
    ]
    return min(fitting, key=lambda each: len(each.dimensions), default=None)
