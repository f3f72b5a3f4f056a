"""Recommends from a published artifact, in a process that has only NumPy and pyarrow.

Belongs here: reading and verifying an artifact, and recommending from it. Does not belong here:
code that imports SciPy, implicit, scikit-learn or Dagster; a test checks this.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.fs
from numpy.typing import NDArray

from recsys.registry import artifact
from recsys.registry.artifact import ArtifactError, FileEntry
from recsys.registry.files import UnreadableFileError, parse_ids, parse_npz, times_among
from recsys.scoring.histories import Histories
from recsys.scoring.networks.recurrent import Recurrent
from recsys.scoring.networks.self_attention import SelfAttention
from recsys.scoring.networks.two_tower import TwoTower
from recsys.scoring.rank_fusion import RankFusion
from recsys.scoring.ranking import (
    NO_ITEM,
    Float32,
    Int32,
    ItemLists,
    Ranked,
    popular_first,
    rank_in_batches,
)
from recsys.scoring.recommendations import ranked_rows
from recsys.scoring.scorer import Scorer
from recsys.scoring.weighted_parts import PART_SCORERS
from recsys.scoring.weighted_sum import WeightedSum

SCORERS: Mapping[str, type[Scorer]] = {
    **PART_SCORERS,
    RankFusion.scoring: RankFusion,
    WeightedSum.scoring: WeightedSum,
    SelfAttention.scoring: SelfAttention,
    Recurrent.scoring: Recurrent,
    TwoTower.scoring: TwoTower,
    "fused": RankFusion,  # what release 0.1 wrote into manifests
}
FROM_MODEL, FROM_POPULARITY = "model", "popularity"


@dataclass(frozen=True)
class LoadedModel:
    """A published model. `manifest` has its model, version, metrics and data window."""

    manifest: Mapping[str, Any]
    scorer: Scorer
    users: Any
    items: Any
    histories: Histories

    @property
    def seen(self) -> ItemLists:
        """The items of each user, which are not recommended."""
        return self.histories.lists

    def recommend(self, user_ids: str | Sequence[str], n: int = 10) -> Any:
        """The best `n` unseen items of each user, in the order of the users asked for.

        A pa.Table of user_id, rank (from 1), item_id, score and source. Where source is `model`,
        the score is the model's. The other items are there because many users have them, and
        source is `popularity`. Two cases: (1) The model knows nothing of the user: no such user, no
        interaction, or a history to which it has no other item. Then the whole list is by
        popularity, and the score is the number of users with the item. (2) The model has fewer
        items for the user than `n`. Then the others follow with score 0, the most popular first.
        Raises ValueError for n < 1.
        """
        asked = [user_ids] if isinstance(user_ids, str) else list(user_ids)
        position = np.array([_index_of(self.users, user) for user in asked], dtype=np.int64)
        known = position >= 0
        # The factor of a user without interactions has no meaning.
        known[known] = self.seen.lengths[position[known]] > 0

        def scores_of(rows: slice) -> Float32:
            users = position[rows][known[rows]]
            return self.scorer.scores(users, self.histories.take(users))

        hidden = _with_empty_rows(self.seen.take(position[known]), known)
        ranked, sources = self._ranked(scores_of, known, hidden, n)
        answers = pa.table(ranked_rows(pa.array(asked, pa.string()), self.items, *ranked))
        return answers.append_column("source", sources)

    def recommend_for_items(self, item_ids: Sequence[str], n: int = 10) -> Any:
        """The best `n` items for a new user with the given items, oldest first, without training.

        A pa.Table of rank (from 1), item_id, score and source, as in `recommend`. Items that the
        model does not know are ignored; if it knows none, the result is the most popular items.
        Raises ValueError for n < 1.
        """
        # The place of the last mention counts as time, for models that read the order.
        place = {_index_of(self.items, item): at for at, item in enumerate(item_ids)}
        known = np.array(sorted(place.keys() - {-1}), dtype=np.int32)
        times = np.array([place[item] for item in known.tolist()], dtype=np.int64)
        lists = ItemLists(np.array([0, len(known)]), known)
        # The weights of these interactions are unknown: each counts as an average one.
        weight = self.histories.weights.mean() if len(self.histories.weights) else 1.0
        history = Histories(lists, np.full(len(known), weight, dtype=np.float32), times)
        has_items = np.array([len(known) > 0])
        ranked, sources = self._ranked(lambda _: self.scorer.fold_in(history), has_items, lists, n)
        answers = pa.table(ranked_rows(pa.array([""]), self.items, *ranked))
        return answers.select(["rank", "item_id", "score"]).append_column("source", sources)

    def similar_items(self, item_id: str, n: int = 10) -> Any:
        """The `n` other items most like this one, a pa.Table of item_id, rank, score.

        Raises KeyError if the model does not know the item, ValueError for n < 1.
        """
        ids, scores = self.scorer.similar_items(np.array([self.item_index(item_id)]), n)
        answers = ranked_rows(pa.array([item_id]), self.items, ids, scores)
        return pa.table(answers).select(["item_id", "rank", "score"])

    def item_index(self, item_id: str) -> int:
        """The position of an item; raises KeyError if the model does not know it."""
        return self._index("item", self.items, item_id)

    def user_index(self, user_id: str) -> int:
        """The position of a user; raises KeyError if the model does not know the user."""
        return self._index("user", self.users, user_id)

    def _index(self, kind: str, ids: Any, wanted: str) -> int:
        index = _index_of(ids, wanted)
        if index < 0:
            raise KeyError(
                f"{kind} {wanted!r} is not among the {len(ids)} {kind}s of"
                f" {self.manifest['model']} {self.manifest['version']}"
            )
        return index

    @cached_property
    def places(self) -> Int32:
        """The place of each item by popularity, int32[items], which orders items of equal score."""
        return popular_first(np.bincount(self.seen.indices, minlength=len(self.items)))

    def _ranked(
        self,
        scores_of: Callable[[slice], Float32],
        known: NDArray[np.bool_],
        hidden: ItemLists,
        n: int,
    ) -> tuple[Ranked, Any]:
        """Ranked items of each row, and the source of each ranked item as a pa.StringArray.

        `scores_of(rows)` gives the scores of those rows that are `known`.
        """
        by_model, popularity = known.copy(), self._popularity

        def scores(rows: slice) -> Float32:
            mine = np.flatnonzero(known[rows])
            filled = np.tile(popularity, (rows.stop - rows.start, 1))
            if len(mine):
                found = scores_of(rows)
                # A score of zero, as one of -inf, says that the model has none.
                has_signal = (np.isfinite(found) & (found != 0)).any(axis=1)
                filled[mine[has_signal]] = found[has_signal]
                by_model[rows.start + mine] = has_signal
            return filled

        ids, best = rank_in_batches(scores, hidden, len(self.items), n, self.places)
        of_model = (by_model[:, None] & (best != 0))[ids != NO_ITEM]
        sources = pa.array(np.where(of_model, FROM_MODEL, FROM_POPULARITY), pa.string())
        return (ids, best), sources

    @cached_property
    def _popularity(self) -> Float32:
        """The number of users of each item, float32[items]; items without users are not offered."""
        counts = np.bincount(self.seen.indices, minlength=len(self.items)).astype(np.float32)
        counts[counts == 0] = -np.inf
        return counts


def load(path_or_url: str | Path) -> LoadedModel:
    """Read an artifact: a version's folder, or the folder of a model or of all, whose current
    version is taken.

    A local path or a URL that pyarrow.fs knows (file://, s3://, gs://). Every byte is checked
    against the manifest before it is parsed, and nothing in the files is executed.

    Raises ArtifactError, naming the file and the remedy, for a file that is absent, truncated,
    altered, pickled, or of a format this version of the code does not read.
    """
    place = _Place.of(path_or_url).resolved()
    manifest = _manifest(place)
    content = {
        name: _verified(place, name, manifest["files"])
        for name in (
            artifact.arrays_file(manifest["scoring"]),
            artifact.USERS,
            artifact.ITEMS,
            artifact.SEEN,
        )
    }
    try:
        return _assembled(manifest, content, place)
    except UnreadableFileError as error:
        raise ArtifactError(f"{error}, or load another version") from error


@dataclass(frozen=True)
class _Place:
    """A folder on a local or remote file system."""

    files: Any
    path: str

    @classmethod
    def of(cls, path_or_url: str | Path) -> "_Place":
        if isinstance(path_or_url, str) and "://" in path_or_url:
            return cls(*pyarrow.fs.FileSystem.from_uri(path_or_url))
        return cls(pyarrow.fs.LocalFileSystem(), str(Path(path_or_url).absolute()))

    def resolved(self) -> "_Place":
        """The folder itself if it holds a version, else that of its current version.

        A folder of models leads to the current one of them, and that to its version.
        """
        if not self.has(artifact.CURRENT) or self.has(artifact.MANIFEST):
            return self
        version = self.read(artifact.CURRENT).decode(errors="replace").strip()
        if not artifact.is_plain_name(version):
            raise ArtifactError(
                f"{self.name(artifact.CURRENT)} holds {version!r}, which is no version: promote one"
            )
        return _Place(self.files, self.name(version)).resolved()

    def name(self, file: str) -> str:
        return f"{self.path.rstrip('/')}/{file}"

    def has(self, file: str) -> bool:
        return bool(self.files.get_file_info(self.name(file)).type == pyarrow.fs.FileType.File)

    def read(self, file: str) -> bytes:
        if not self.has(file):
            raise ArtifactError(
                f"{self.name(file)} is missing: the folder is no artifact or an incomplete copy;"
                " copy or publish it again"
            )
        with self.files.open_input_stream(self.name(file)) as stream:
            content: bytes = stream.read()
        return content


def _manifest(place: _Place) -> dict[str, Any]:
    content, where = place.read(artifact.MANIFEST), place.name(artifact.MANIFEST)
    if artifact.checksum_line(content) != place.read(artifact.MANIFEST_CHECKSUM):
        raise ArtifactError(
            f"{where} does not match {artifact.MANIFEST_CHECKSUM}: it was altered or copied in"
            " part; copy or publish it again"
        )
    try:
        manifest: dict[str, Any] = json.loads(content)
        known = (manifest["format"], manifest["format_version"], manifest["scoring"])
        manifest["files"], manifest["settings"], manifest["model"], manifest["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{where} is no manifest ({error!r}): publish it again") from error
    if known[:2] != (artifact.FORMAT, artifact.FORMAT_VERSION) or known[2] not in SCORERS:
        raise ArtifactError(
            f"{where} has format {known[0]} version {known[1]}, scoring {known[2]}; this code"
            f" reads {artifact.FORMAT} version {artifact.FORMAT_VERSION}, scoring"
            f" {' or '.join(SCORERS)}: load it with the release that published it, or publish it"
            " again"
        )
    return manifest


def _verified(place: _Place, name: str, entries: Mapping[str, Mapping[str, Any]]) -> bytes:
    if name not in entries:
        raise ArtifactError(
            f"{place.name(artifact.MANIFEST)} does not list {name}: publish it again"
        )
    content, expected = place.read(name), FileEntry(**entries[name])
    if len(content) != expected.bytes:
        raise ArtifactError(
            f"{place.name(name)} has {len(content)} bytes, the manifest says {expected.bytes}: it"
            " was truncated or replaced; copy or publish it again"
        )
    if artifact.entry_of(content) != expected:
        raise ArtifactError(
            f"{place.name(name)} does not match its sha256 in the manifest: it was altered or"
            " damaged; copy or publish it again"
        )
    return content


def _assembled(
    manifest: dict[str, Any], content: Mapping[str, bytes], place: _Place
) -> LoadedModel:
    where = {name: place.name(name) for name in content}
    users = parse_ids(content[artifact.USERS], where[artifact.USERS])
    items = parse_ids(content[artifact.ITEMS], where[artifact.ITEMS])
    scorer_class, file = SCORERS[manifest["scoring"]], artifact.arrays_file(manifest["scoring"])
    seen = parse_npz(content[artifact.SEEN], where[artifact.SEEN], artifact.SEEN_ARRAYS)
    try:
        expected = scorer_class.expected(manifest["settings"])
        arrays = parse_npz(content[file], where[file], expected)
        scorer = scorer_class.of_arrays(arrays, manifest["settings"])
    except UnreadableFileError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableFileError(f"{where[file]}: {error}") from error
    if not scorer.fits(len(users), len(items)):
        raise UnreadableFileError(
            f"{where[file]} does not fit the ids, for {len(users)} users and {len(items)} items:"
            " publish again"
        )
    times = times_among(seen, where[artifact.SEEN], len(seen["indices"]))
    histories = Histories(ItemLists(seen["indptr"], seen["indices"]), seen["weights"], times)
    if not _fits(histories, len(users), len(items)):
        raise UnreadableFileError(
            f"{where[artifact.SEEN]} does not fit {len(users)} users x {len(items)} items:"
            " publish again"
        )
    return LoadedModel(manifest, scorer, users, items, histories)


def _fits(histories: Histories, users: int, items: int) -> bool:
    return (
        histories.lists.fits(users, items)
        and histories.weights.shape == histories.lists.indices.shape
        and bool(np.isfinite(histories.weights).all())
    )


def _index_of(ids: Any, wanted: str) -> int:
    """Position in sorted ids, or -1. Bisection needs no table of all ids."""
    position = bisect_left(range(len(ids)), wanted, key=lambda i: ids[i].as_py())
    found = position < len(ids) and ids[position].as_py() == wanted
    return position if found else -1


def _with_empty_rows(lists: ItemLists, present: Any) -> ItemLists:
    """Spread the lists over the rows marked `present`; the other rows are empty."""
    lengths = np.zeros(len(present), dtype=np.int64)
    lengths[present] = lists.lengths
    return ItemLists(np.concatenate(([0], np.cumsum(lengths))), lists.indices)
