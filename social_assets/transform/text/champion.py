"""Which text model scores: a model of the labelled texts, if it is better than the one that scores.

Belongs here: training the challenger, the comparison of models on the same held-out texts, and the
rule of promotion. Files belong to `registry`, the labelled texts to `labels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from social_assets.transform.text.labels import LabelledTexts, LabelSplit
from social_assets.transform.text.models.evaluation import (
    Interval,
    LabelEvaluation,
    evaluate_labels,
    gain_in_macro_f1,
)
from social_assets.transform.text.models.lexicon import lexicon_model
from social_assets.transform.text.models.linear import LinearTextModel, TrainingError, train
from social_assets.transform.text.models.model import LABELS, TextModel


@dataclass(frozen=True)
class EvaluatedModel:
    """What a model gave the held-out texts, and how right that is."""

    name: str
    version: str
    given: tuple[str | None, ...]
    evaluation: LabelEvaluation

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class ModelComparison:
    """Challenger, champion and lexicon on the same texts.

    `gain` is how much the challenger's macro-F1 is above the champion's.
    """

    challenger: EvaluatedModel
    champion: EvaluatedModel
    lexicon: EvaluatedModel
    gain: Interval

    @property
    def is_won(self) -> bool:
        """Whether the whole interval of the gain is above zero."""
        return self.gain.low > 0

    @property
    def decision(self) -> str:
        """Whether the challenger becomes champion, and why."""
        if str(self.challenger) == str(self.champion):
            return f"{self.champion} is the champion already"
        does, then = (
            ("beats", f"{self.challenger} becomes champion")
            if self.is_won
            else ("does not beat", f"{self.champion} stays champion")
        )
        return (
            f"{self.challenger} {does} {self.champion}: macro-F1 {self.gain.value:+.3f}, 95 %"
            f" interval [{self.gain.low:+.3f}, {self.gain.high:+.3f}]; {then}"
        )


def train_challenger(labels: LabelSplit) -> LinearTextModel:
    """Learn from the texts that are not held out.

    Raises TrainingError if there is too little to learn from, or to evaluate on; its text says what
    there is, and what is needed.
    """
    model = train(labels.to_learn.texts, labels.to_learn.labels, "")
    lacking = labels.lacking()
    if lacking:
        raise TrainingError(lacking)
    return model


def evaluated(model: TextModel, on: LabelledTexts) -> EvaluatedModel:
    """What a model gives some texts. Raises ValueError if there are none."""
    given = tuple(model.score(on.texts).label_names())
    return EvaluatedModel(model.name, model.version, given, evaluate_labels(on.labels, given))


def compare(labels: LabelSplit, challenger: TextModel, champion: TextModel) -> ModelComparison:
    """Challenger and champion on the held-out texts. Raises ValueError if there are none."""
    on = labels.held_out
    new, present = evaluated(challenger, on), evaluated(champion, on)
    lexicon = lexicon_model()
    baseline = present if present.name == lexicon.name else evaluated(lexicon, on)
    return ModelComparison(
        new, present, baseline, gain_in_macro_f1(on.labels, new.given, present.given)
    )


def record_of(labels: LabelSplit, evaluation: LabelEvaluation) -> Mapping[str, Any]:
    """What the manifest of a model says about its labels and how right it was."""
    return {
        "labels": {"to_learn": labels.to_learn.counts(), "held_out": labels.held_out.counts()},
        "evaluation": asdict(evaluation),
    }


def evaluation_of(record: Mapping[str, Any]) -> LabelEvaluation:
    """The evaluation that `record_of` has put down."""
    found = record["evaluation"]
    return LabelEvaluation(
        found["texts"],
        Interval(**found["accuracy"]),
        Interval(**found["macro_f1"]),
        tuple(tuple(row) for row in found["confusion"]),
    )


def models_table(comparison: ModelComparison) -> str:
    """The models as Markdown, with their intervals."""
    models = {
        "challenger": comparison.challenger,
        "champion": comparison.champion,
        "lexicon": comparison.lexicon,
    }
    rows = [
        f"| {role} | {model} | {model.evaluation.accuracy} | {model.evaluation.macro_f1} |"
        for role, model in models.items()
        if role != "lexicon" or model is not comparison.champion
    ]
    return "\n".join(["| | model | accuracy | macro-F1 |", "|---|---|---|---|", *rows])


def confusion_table(evaluation: LabelEvaluation) -> str:
    """Texts by their true label (rows) and the given one (columns), as Markdown."""
    names = (*LABELS, "no label")
    rows = [
        f"| **{label}** | " + " | ".join(map(str, counts)) + " |"
        for label, counts in zip(LABELS, evaluation.confusion, strict=True)
    ]
    return "\n".join(["| true | " + " | ".join(names) + " |", "|---" * 5 + "|", *rows])
