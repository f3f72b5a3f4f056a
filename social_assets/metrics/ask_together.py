"""Asks questions that differ little by one query, and takes its answer apart.

Belongs here: which questions one query answers exactly, and the answer of each. When questions wait
for each other belongs to who serves them. Questions are of one family if they differ in their
metrics, in their order, and in the value of one filter. Questions about other accounts are never of
one family, so a query never has rows that one of its askers may not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from social_assets.metrics.answer import Answer, Row
from social_assets.metrics.ask import ask
from social_assets.metrics.dimension import KeyDimension
from social_assets.metrics.formula import Additivity, Share
from social_assets.metrics.planner.plan import plan
from social_assets.metrics.planner.question import MOST_GROUPS, Filter, Question, subjects_of
from social_assets.metrics.registry import metric

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MOST_TOGETHER = 200
"""Questions of one query."""

_EXACT = (Additivity.ADDITIVE, Additivity.RATIO)


@dataclass(frozen=True)
class Family:
    """What questions have in common that one query can answer."""

    common: Question
    """The question without its metrics, its order, and the filter."""
    subject: str
    divided: str
    """The dimension by whose values they differ; empty if none."""


def family_of(question: Question) -> Family | None:
    """The family of a checked question; None if it must be asked alone.

    Distinct counts, quantiles and shares are asked alone, and groups beyond a limit as `others`.
    """
    subjects = subjects_of(question)
    metrics = [metric(name) for name in question.metrics]
    if len(subjects) > 1 or question.with_others:
        return None
    if any(each.additivity not in _EXACT for each in metrics):
        return None
    if any(isinstance(each.formula, Share) for each in metrics):
        return None
    divided = _divided(question)
    where = tuple(each for each in question.where if each.dimension != divided)
    common = replace(
        question, metrics=(), order_by=None, is_ascending=False, limit=MOST_GROUPS, where=where
    )
    return Family(common, subjects[0].name, divided)


def ask_together(client: Client, questions: Sequence[Question]) -> list[Answer | None]:
    """The answers of questions of one family; None for one that must be asked alone.

    Each has the rows that it has if it is asked alone; `rows_read` is that of the query for all.
    Raises clickhouse-connect's errors.
    """
    family = family_of(questions[0])
    if family is None or len(questions) == 1:
        return [ask(client, each) for each in questions]
    whole = _whole(family, questions)
    if not _is_planned_alike(whole, questions):
        return [None] * len(questions)
    answer = ask(client, whole)
    groups = {row.group for row in answer.rows}
    values = {value for each in questions for value in _values(family, each)}
    is_unknown = bool(family.divided) and any(group[0] not in values for group in groups)
    if len(groups) >= MOST_GROUPS or is_unknown:
        return [None] * len(questions)
    return [_part(family, whole, answer, each) for each in questions]


def _divided(question: Question) -> str:
    """The first dimension that is filtered by one value, and may divide the answer instead."""
    if question.compare is not None:
        # The groups of the answer decide which groups are compared.
        return ""
    (subject,) = subjects_of(question)
    for each in question.where:
        is_key = isinstance(subject.dimension(each.dimension), KeyDimension)
        if is_key and len(each.values) == 1 and each.dimension not in question.by:
            return each.dimension
    return ""


def _values(family: Family, question: Question) -> tuple[str, ...]:
    return next((e.values for e in question.where if e.dimension == family.divided), ())


def _whole(family: Family, questions: Sequence[Question]) -> Question:
    """One question with all metrics, about all values."""
    whole = replace(
        family.common,
        metrics=tuple(dict.fromkeys(name for each in questions for name in each.metrics)),
    )
    if not family.divided:
        return whole
    values = dict.fromkeys(value for each in questions for value in _values(family, each))
    return replace(
        whole,
        by=(family.divided, *whole.by),
        where=(*whole.where, Filter(family.divided, tuple(values))),
    )


def _is_planned_alike(whole: Question, questions: Sequence[Question]) -> bool:
    """Whether the same tables answer all: another table may know other groups."""
    (subject,) = subjects_of(whole)
    pieces = plan(whole, subject).pieces
    # Only metrics and dimensions choose the tables, and the dimensions are the same.
    different = {each.metrics: each for each in questions}
    return all(plan(each, subject).pieces == pieces for each in different.values())


def _part(family: Family, whole: Question, answer: Answer, question: Question) -> Answer | None:
    """The answer of one question; None if it has more groups than the question's limit."""
    columns = [whole.metrics.index(name) for name in question.metrics]
    asked, width = _values(family, question), 1 if family.divided else 0
    rows = [
        Row(
            row.bucket,
            row.group[width:],
            tuple(row.values[column] for column in columns),
            tuple(row.compared[column] for column in columns) if row.compared else (),
        )
        for row in answer.rows
        if not width or row.group[0] in asked
    ]
    if question.by and len({row.group for row in rows}) > question.limit:
        return None
    ordering = question.metrics.index(question.ordering)
    sign = 1 if question.is_ascending else -1

    def rank(row: Row) -> tuple[object, ...]:
        value = row.values[ordering]
        begin = row.bucket.timestamp() if row.bucket else 0
        return begin, value is None, sign * (value or 0), row.group

    return replace(
        answer,
        question=question,
        metrics=tuple(metric(name) for name in question.metrics),
        rows=tuple(sorted(rows, key=rank)),
    )
