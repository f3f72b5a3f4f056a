"""What the assets of text models report to Dagster.

Belongs here: the conversion of tables, labels and comparisons to metadata, and of errors to
failures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dagster import (
    Failure,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableSchema,
)

from social_assets.defs.pictures import new_figure, picture

if TYPE_CHECKING:
    from social_assets.transform.text.champion import EvaluatedModel, ModelComparison
    from social_assets.transform.text.labels import LabelSplit
    from social_assets.transform.text.models.evaluation import Interval
    from social_assets.warehouse.text_tables import TextColumn


def table_metadata(name: str, columns: Sequence[TextColumn], grain: str) -> dict[str, object]:
    """What the graph shows of a table of texts: its name, columns and grain."""
    return {
        "dagster/table_name": name,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": TableSchema(
            columns=[
                TableColumn(
                    column.name,
                    column.type,
                    column.meaning,
                    constraints=TableColumnConstraints(nullable=column.type.startswith("Nullable")),
                )
                for column in columns
            ],
            constraints=TableConstraints(other=[grain]),
        ),
    }


@contextmanager
def damage_without_retry() -> Iterator[None]:
    """Turn a damaged model of the block into a failure that Dagster does not retry."""
    from recsys.registry.artifact import ArtifactError

    try:
        yield
    except ArtifactError as error:
        raise Failure(str(error), allow_retries=False) from error


def label_metadata(labels: LabelSplit) -> dict[str, MetadataValue]:
    """How many labelled texts there are."""
    return {
        "labelled_texts": MetadataValue.int(len(labels.to_learn) + len(labels.held_out)),
        "to_learn": MetadataValue.text(str(labels.to_learn)),
        "held_out": MetadataValue.text(str(labels.held_out)),
    }


def comparison_metadata(comparison: ModelComparison) -> dict[str, MetadataValue]:
    """The models beside each other, and where each gives other labels than people."""
    from social_assets.transform.text.champion import confusion_table, models_table

    new = comparison.challenger.evaluation
    return {
        **interval_metadata("accuracy", new.accuracy),
        **interval_metadata("macro_f1", new.macro_f1),
        **interval_metadata("gain", comparison.gain),
        "models": MetadataValue.md(models_table(comparison)),
        "confusion_of_challenger": MetadataValue.md(confusion_table(new)),
        "confusion_of_champion": MetadataValue.md(confusion_table(comparison.champion.evaluation)),
        "confusion": _confusion_plot(comparison.challenger),
    }


def interval_metadata(name: str, found: Interval) -> dict[str, MetadataValue]:
    """A figure and its interval, as numbers that Dagster draws over runs."""
    return {
        name: MetadataValue.float(found.value),
        f"{name}_low": MetadataValue.float(found.low),
        f"{name}_high": MetadataValue.float(found.high),
    }


def _confusion_plot(model: EvaluatedModel) -> MetadataValue:
    """Each true label's texts by the label that they were given, as shares of the true label."""
    from social_assets.transform.text.models.model import LABELS

    figure, axes = new_figure()
    counts = [row[: len(LABELS)] for row in model.evaluation.confusion]
    shares = [[n / max(sum(row), 1) for n in row] for row in counts]
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    places = range(len(LABELS))
    axes.set(
        xlabel="label given", ylabel="true label", title=str(model), xticks=places, yticks=places
    )
    axes.set_xticklabels(LABELS)
    axes.set_yticklabels(LABELS)
    for row in places:
        for column in places:
            color = "white" if shares[row][column] > 0.5 else "black"
            axes.text(column, row, counts[row][column], ha="center", va="center", color=color)
    return picture(figure, f"true and given labels of {model}")
