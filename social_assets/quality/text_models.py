"""Whether the text model that scores still is as right as it was, and righter than the lexicon.

Belongs here: what the check of the champion computes, without Dagster.
"""

from __future__ import annotations

from dataclasses import dataclass

from social_assets.transform.text.champion import EvaluatedModel, evaluated, evaluation_of
from social_assets.transform.text.labels import LabelSplit
from social_assets.transform.text.models.evaluation import (
    Interval,
    LabelEvaluation,
    gain_in_macro_f1,
)
from social_assets.transform.text.models.lexicon import lexicon_model
from social_assets.transform.text.registry import PublishedModel


@dataclass(frozen=True)
class ChampionNow:
    """How right the champion is on the labels of now.

    `before` is its evaluation when it was trained, `gain` its macro-F1 above the lexicon's; both
    are None if the lexicon is the champion.
    """

    model: EvaluatedModel
    before: LabelEvaluation | None
    gain: Interval | None

    @property
    def is_worse_than_before(self) -> bool:
        """Whether the macro-F1 of now is below that of its training, beyond the interval."""
        macro_f1 = self.model.evaluation.macro_f1
        return self.before is not None and macro_f1.high < self.before.macro_f1.value

    @property
    def is_worse_than_lexicon(self) -> bool:
        """Whether the whole interval of its gain over the lexicon is below zero."""
        return self.gain is not None and self.gain.high < 0

    @property
    def is_right(self) -> bool:
        """Whether it is as right as it was, and no worse than the lexicon."""
        return not (self.is_worse_than_before or self.is_worse_than_lexicon)


def champion_now(labels: LabelSplit, champion: PublishedModel | None) -> ChampionNow | None:
    """Evaluate the champion on the held-out texts; None if there are none."""
    on = labels.held_out
    if not len(on):
        return None
    lexicon = evaluated(lexicon_model(), on)
    if champion is None:
        return ChampionNow(lexicon, None, None)
    model = evaluated(champion.model, on)
    gain = gain_in_macro_f1(on.labels, model.given, lexicon.given)
    return ChampionNow(model, evaluation_of(champion.manifest), gain)
