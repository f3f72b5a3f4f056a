"""What people say of texts: the labelled texts of the warehouse, and which of them are held out.

Belongs here: which label of a text counts, and what is learned from and what is evaluated on. A
text is held out by the hash of its own characters: a text that was labelled twice, or that two
posts have, never is on both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

from social_assets.transform.text.models.evaluation import is_held_out
from social_assets.transform.text.models.model import LABELS, LONGEST_TEXT
from social_assets.transform.text.sources import NOT_BLANK
from social_assets.warehouse.ddl import DATABASE
from social_assets.warehouse.tables import exists

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

STREAM = "text_labels"
_TABLE = f"{DATABASE}.{STREAM}"
FEWEST_HELD_OUT = 10
"""With fewer held-out texts of a label, chance decides which model is better."""


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and their labels, in one order."""

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def counts(self) -> dict[str, int]:
        """How many texts each label has; those that it has none of are left out."""
        found = Counter(self.labels)
        return {label: found[label] for label in LABELS if found[label]}

    def __str__(self) -> str:
        return ", ".join(f"{n:,} {label}" for label, n in self.counts().items()) or "none"


@dataclass(frozen=True)
class LabelSplit:
    """What a model learns from, and what models are evaluated on."""

    to_learn: LabelledTexts
    held_out: LabelledTexts

    def lacking(self) -> str:
        """What is missing to evaluate models on the held-out texts; empty if nothing is."""
        counts = self.held_out.counts()
        known = self.to_learn.counts()
        few = [label for label in known if counts.get(label, 0) < FEWEST_HELD_OUT]
        if known and not few:
            return ""
        return (
            f"the held-out texts are {self.held_out}: models are compared on at least"
            f" {FEWEST_HELD_OUT} texts of each label. A fifth of the texts is held out, so load"
            f" some {FEWEST_HELD_OUT * 6} labelled texts of each label as stream {STREAM}"
        )


def split(texts: Sequence[str], labels: Sequence[str]) -> LabelSplit:
    """Hold out a fifth of the texts: the same ones each time."""
    held_out = [is_held_out(text) for text in texts]
    learned = [not held for held in held_out]
    return LabelSplit(
        *(
            LabelledTexts(tuple(compress(texts, side)), tuple(compress(labels, side)))
            for side in (learned, held_out)
        )
    )


def read_labels(client: Client) -> LabelSplit:
    """The labelled texts of the warehouse; of several labels of a text, the newest counts.

    Blank texts are left out. Texts come in one order, so that a model of them has the same bytes.
    """
    if not exists(client, _TABLE):
        return split((), ())
    rows = client.query_arrow(
        f"SELECT substringUTF8(text, 1, {LONGEST_TEXT}) AS labelled,\n"
        "  argMax(label, (coalesce(labelled_at, event_time), ingested_at, label_id)) AS newest\n"
        f"FROM {_TABLE} WHERE match(text, '{NOT_BLANK}')\n"
        "GROUP BY labelled ORDER BY sipHash64(labelled), labelled",
        use_strings=True,
    )
    return split(rows["labelled"].to_pylist(), rows["newest"].to_pylist())
