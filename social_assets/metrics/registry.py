"""The declared metrics and their subjects: every module of `subjects` that has a SUBJECT.

Belongs here: finding and checking them. A metric that is added to its subject's module is known to
the API, the command line, dashboards and alerts without another change.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from social_assets.metrics import subjects as package
from social_assets.metrics.formula import AsReported, Atom, Formula
from social_assets.metrics.measure import Aggregate
from social_assets.metrics.metric import Metric, RollupTable, Subject


class MetricDeclarationError(ValueError):
    """A subject or metric is declared wrongly; the text names it."""


class UnknownMetricError(KeyError):
    """No metric has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


@cache
def subjects() -> tuple[Subject, ...]:
    """All subjects, in the order of their names. Raises MetricDeclarationError."""
    found = tuple(
        import_module(f"{package.__name__}.{module.name}").SUBJECT
        for module in pkgutil.iter_modules(package.__path__)
    )
    for subject in found:
        _check(subject)
    names = [metric.name for subject in found for metric in subject.metrics]
    for name in names:
        if names.count(name) > 1:
            raise MetricDeclarationError(f"two metrics are named {name}; rename one")
        native = next(m.native for s in found for m in s.metrics if m.name == name)
        if native is not None and native.metric not in names:
            raise MetricDeclarationError(
                f"metric {name}: its native figure {native.metric} is no metric"
            )
    return found


@cache
def metrics() -> tuple[Metric, ...]:
    """All metrics, by subject."""
    return tuple(metric for subject in subjects() for metric in subject.metrics)


def metric(name: str) -> Metric:
    """The metric of this name. Raises UnknownMetricError, which names similar ones."""
    return _known(name)[1]


def subject_of(name: str) -> Subject:
    """The subject of a metric. Raises UnknownMetricError."""
    return _known(name)[0]


def metrics_from(table: str) -> tuple[Metric, ...]:
    """The metrics that a rollup can answer; none if no subject has declared it."""
    return tuple(
        metric
        for subject in subjects()
        for rollup in subject.rollups
        if rollup.table == table
        for metric in subject.metrics
        if _answers(rollup, metric.formula)
    )


def restricted_sums(table: str) -> Mapping[str, str]:
    """The columns of a rollup that sum some rows of the fact, and SQL of what each row adds."""
    return {
        column: f"if({_restriction(subject, atom)}, {subject.measure(atom.measure).of_fact}, 0)"
        for subject in subjects()
        for rollup in subject.rollups
        if rollup.table == table
        for atom, column in rollup.columns_of
        if subject.measure(atom.measure).aggregate is Aggregate.SUM
    }


def _restriction(subject: Subject, atom: Atom) -> str:
    conditions = []
    for name, values in atom.only:
        dimension = subject.dimension(name)
        if dimension is None:
            raise KeyError(name)
        conditions.append(f"{dimension.column} IN ({', '.join(map(repr, values))})")
    return " AND ".join(conditions)


def _answers(rollup: RollupTable, formula: Formula) -> bool:
    if isinstance(formula, AsReported) and not set(formula.by).issubset(rollup.dimensions):
        return False
    return all(rollup.has(atom) for atom in formula.atoms())


def _known(name: str) -> tuple[Subject, Metric]:
    for subject in subjects():
        for each in subject.metrics:
            if each.name == name:
                return subject, each
    from difflib import get_close_matches

    names = [each.name for each in metrics()]
    close = get_close_matches(name, names, n=3)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise UnknownMetricError(f"no metric is named {name!r}{hint}")


def _check(subject: Subject) -> None:
    dimensions = {each.name for each in subject.dimensions}
    measures = {each.name for each in subject.measures}
    for rollup in subject.rollups:
        for kind, declared, known in (
            ("dimension", rollup.dimensions, dimensions),
            ("measure", rollup.measures, measures),
            ("measure", [atom.measure for atom, _ in rollup.columns_of], measures),
        ):
            for name in declared:
                if name not in known:
                    raise MetricDeclarationError(
                        f"{rollup.table}: subject {subject.name} has no {kind} {name}"
                    )
    for each in subject.metrics:
        for atom in each.formula.atoms():
            if atom.measure not in measures:
                raise MetricDeclarationError(
                    f"metric {each.name}: subject {subject.name} has no measure {atom.measure}"
                )
            for name, _ in atom.only:
                if name not in dimensions:
                    raise MetricDeclarationError(
                        f"metric {each.name}: subject {subject.name} has no dimension {name}"
                    )
