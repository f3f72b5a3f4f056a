"""A stream of samples: its records of a day, and the files that they go to.

Belongs here: the interface between the five stream modules and the writer, and the few column
constructors that they share. Does not belong here: any single stream.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from social_assets.demo.samples.flaws import Flaw, Flaws, LineFlaw, Respelling
from social_assets.demo.samples.formats import Spelling
from social_assets.demo.samples.world import Ints, World

Suffix = Literal["ndjson", "ndjson.gz", "csv", "parquet"]

PLATFORM_SPELLINGS = Respelling(
    "platform_spelling",
    "platform",
    0.025,
    (
        ("Instagram", "instagram"),
        ("TikTok", "tiktok"),
        ("X", "Twitter"),
        ("YouTube", "youtube"),
        ("Facebook", "FACEBOOK"),
        ("Reddit", " Reddit "),
        ("Threads", "threads"),
        ("LinkedIn", "linkedin"),
    ),
)
GENDER_LETTERS = Respelling(
    "gender_spelling", "gender", 0.03, (("Male", "M"), ("Female", "F"), ("Other", "other"))
)
GENDER_WORDS = Respelling(
    "gender_spelling", "gender", 0.03, (("Male", "male"), ("Female", "female"), ("Other", "OTHER"))
)


@dataclass(frozen=True)
class SampleDay:
    """One day of the world: its number from 0, its date, and which of all events are on it."""

    world: World
    number: int
    date: date
    events: range
    rng: np.random.Generator

    def one_per(self, events: int) -> range:
        """The numbers, from 1, of things that occur once in so many engagement events."""
        return range(self.events.start // events + 1, self.events.stop // events + 1)

    @property
    def midnight(self) -> int:
        """Its first second, since 1970."""
        return int(datetime.combine(self.date, time(), UTC).timestamp())


@dataclass(frozen=True)
class FileKind:
    """How one kind of file of a stream is written; the columns use the `spellings` in turn."""

    suffix: Suffix
    spellings: tuple[Spelling, ...]
    flaws: Flaws

    def names(self, columns: Sequence[str]) -> dict[str, str]:
        """Column -> how the file spells it."""
        turns = len(self.spellings)
        return {name: self.spellings[i % turns].of(name) for i, name in enumerate(columns)}


@dataclass(frozen=True)
class SampleStream:
    """A stream of samples: `records` gives a day's clean records as a pa.Table, in order.

    The days use the kinds of file in turn. `carries_time` means that a record has its date, so that
    it may arrive in the file of a later day; otherwise the file's name has the date.
    """

    name: str
    records: Callable[[SampleDay], Any]
    kinds: tuple[FileKind, ...]
    carries_time: bool = False


def for_parquet(flaws: Sequence[Flaw]) -> Flaws:
    """The flaws that a typed file can have."""
    return Flaws([f for f in flaws if not isinstance(f, LineFlaw) and not f.text_only])


def coded(words: Sequence[str], codes: Ints) -> Any:
    """A dictionary column: word number `codes[i]` in record i."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(words, pa.string()))


def numbered(prefix: str, numbers: Ints, digits: int = 0) -> Any:
    """Ids such as `p000123` of the numbers given, as a dictionary column over 0 to the largest."""
    distinct = np.arange(int(numbers.max(initial=0)) + 1)
    words = [f"{prefix}{n:0{digits}d}" for n in distinct]
    return coded(words, numbers)


def first_of_each(keys: Ints) -> Ints:
    """The first position of each distinct key, in the order of the records."""
    return np.sort(np.unique(keys, return_index=True)[1])
