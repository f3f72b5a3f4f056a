"""Plots of evaluations, as images in Markdown metadata.

Belongs here: the drawing. The data comes from the records of the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dagster import MetadataValue

from social_assets.defs.pictures import new_figure, picture
from social_assets.recommend.candidates import DECIDED_AT, DECIDING_METRIC, EVALUATED_AT, Candidate

if TYPE_CHECKING:
    from recsys import InteractionMatrix
    from recsys.evaluation.segments import Group
    from recsys.scoring.ranking import Float64

_GROUPS = 5


def recall_plot(evaluated: Sequence[Candidate]) -> MetadataValue:
    """Recall by the length of the list, one line a model."""
    figure, axes = new_figure()
    for candidate in evaluated:
        recall = [candidate.evaluation.metrics[f"recall@{k}"] for k in EVALUATED_AT]
        axes.plot(EVALUATED_AT, recall, marker="o", label=candidate.model)
    axes.set(xlabel="items recommended", ylabel="recall", xticks=EVALUATED_AT, ylim=(0, None))
    axes.legend(fontsize="small")
    return picture(figure, "recall by length of list")


def activity_plot(candidate: Candidate, train: InteractionMatrix) -> MetadataValue:
    """The deciding metric by how many items a user had before the cut, with 95 % intervals."""
    from recsys.evaluation.segments import by_activity

    groups = by_activity(candidate.evaluation, train, DECIDED_AT, _GROUPS)
    figure, axes = new_figure()
    _bars(axes, groups)
    axes.set(xlabel="items a user had", ylabel=DECIDING_METRIC, title=candidate.model)
    return picture(figure, f"{DECIDING_METRIC} by activity of users")


def item_age_plot(candidate: Candidate, ages: Float64) -> MetadataValue:
    """The share of test interactions that was found, by the age of the item at the cut."""
    from recsys.evaluation.segments import by_item_age

    groups = by_item_age(candidate.evaluation, ages, DECIDED_AT, _GROUPS)
    figure, axes = new_figure()
    _bars(axes, groups)
    label = f"share found in {DECIDED_AT} places"
    axes.set(xlabel="days since an item's first interaction", ylabel=label, title=candidate.model)
    return picture(figure, f"{label} by age of items")


def _bars(axes: Any, groups: Sequence[Group]) -> None:
    """One bar a group, with its interval."""
    spread = [
        [group.mean - group.low for group in groups],
        [group.high - group.mean for group in groups],
    ]
    labels, means = [group.label for group in groups], [group.mean for group in groups]
    axes.bar(labels, means, yerr=spread, capsize=3)
