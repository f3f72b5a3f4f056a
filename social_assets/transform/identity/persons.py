"""Which identities are one person, by links between two identities: union-find over all links.

Belongs here: the computation on columns, without a store. A person has the name of the smallest of
their identities, in the order of platform and id. So the result depends on the set of links alone:
not on their order, and not on when they arrive. Identities without links are not listed: each is a
person of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Persons:
    """For each identity, the identity that names its person; texts, one row an identity."""

    identity: pa.ChunkedArray
    person: pa.ChunkedArray

    @classmethod
    def none(cls) -> Self:
        """No identity at all."""
        return cls(_no_texts(), _no_texts())


@dataclass(frozen=True)
class Merges:
    """For each person that is another one now, the person of which it became a part; texts.

    From any person that ever was, the rows lead to the person that it is now.
    """

    person: pa.ChunkedArray
    into: pa.ChunkedArray


@dataclass(frozen=True)
class PersonChanges:
    """What differs between two states: rows to store, and the keys of rows to remove."""

    persons: Persons
    gone: pa.ChunkedArray
    merges: Merges
    unmerged: pa.ChunkedArray


def persons_of(left: pa.ChunkedArray, right: pa.ChunkedArray) -> Persons:
    """The persons of all identities that links have: a link's two ends are one person.

    `left` and `right` are texts of identities, one link a row.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, (a, b) = _coded(left, right)
    edges = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(len(names), len(names)))
    count, component = connected_components(edges, directed=False)
    everyone = np.arange(len(names))
    smallest = np.empty(count, dtype=np.int64)
    # Of several values for one place the last one stays, which is the smallest.
    smallest[component[::-1]] = everyone[::-1]
    return Persons(names, names.take(_array(smallest[component])))


def changes_of(before: Persons, merges: Merges, after: Persons) -> PersonChanges:
    """What is to be stored so that `before` and `merges` become `after` and its merges.

    A merge that is recorded stays as it is while it leads to the right person. A person that is one
    again, because a link was removed, is in no merge.
    """
    import numpy as np

    columns = (before.identity, before.person, merges.person, merges.into)
    names, codes = _coded(*columns, after.identity, after.person)
    identity, person, merged, into, now_identity, now_person = codes
    size = len(names)
    old, new = _mapped(identity, person, size), _mapped(now_identity, now_person, size)
    recorded = _mapped(merged, into, size)
    merging = _merges_to(recorded, new)
    return PersonChanges(
        persons=Persons(*_texts(names, new, (new >= 0) & (new != old))),
        gone=names.take(_array(np.flatnonzero((old >= 0) & (new < 0)))),
        merges=Merges(*_texts(names, merging, (merging >= 0) & (merging != recorded))),
        unmerged=names.take(_array(np.flatnonzero((recorded >= 0) & (merging < 0)))),
    )


def wrong_merges(persons: Persons, merges: Merges) -> pa.ChunkedArray:
    """The persons whose merges do not lead to the person that they are now, or lead in a circle."""
    import numpy as np

    columns = (persons.identity, persons.person, merges.person, merges.into)
    names, (identity, person, merged, into) = _coded(*columns)
    now = _mapped(identity, person, len(names))
    recorded = _mapped(merged, into, len(names))
    is_listed = (now >= 0) | (recorded >= 0)
    is_wrong = (now < 0) | (_ends(recorded) != now)
    return names.take(_array(np.flatnonzero(is_listed & is_wrong)))


def _merges_to(recorded: Codes, new: Codes) -> Codes:
    """The merges that lead from each identity to its person: recorded ones if they do."""
    import numpy as np

    everyone = np.arange(len(new))
    is_merged = (new >= 0) & (new != everyone)
    # One that stays within the person; so if another one changes, this one still leads there.
    stays = (recorded >= 0) & (new[recorded] == new)
    kept = np.where(is_merged, np.where(stays, recorded, new), -1)
    is_circle = is_merged & (_ends(kept) < 0)
    return np.where(is_circle, new, kept)


def _ends(following: Codes) -> Codes:
    """Where each chain ends, if `following` is the next one or -1; -1 if it is a circle."""
    import numpy as np

    everyone = np.arange(len(following))
    place = np.where(following < 0, everyone, following)
    # Each step doubles how far a chain is followed.
    for _ in range(len(following).bit_length()):
        further = place[place]
        if np.array_equal(further, place):
            break
        place = further
    return np.where(following[place] < 0, place, -1)


def _coded(*columns: pa.ChunkedArray) -> tuple[pa.ChunkedArray, list[Codes]]:
    """All texts, sorted, each once; and each column as places among them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = [chunk for column in columns for chunk in column.chunks]
    all_texts = pa.chunked_array(chunks, pa.large_string()).combine_chunks()
    encoded = all_texts.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    codes = rank[encoded.indices.to_numpy()] if len(order) else np.empty(0, dtype=np.int64)
    ends = np.cumsum([len(column) for column in columns])
    names = pa.chunked_array([encoded.dictionary.take(_array(order))])
    return names, np.split(codes, ends[:-1])


def _mapped(keys: Codes, values: Codes, size: int) -> Codes:
    """The value of each key, at its place; -1 where there is none."""
    import numpy as np

    found = np.full(size, -1, dtype=np.int64)
    found[keys] = values
    return found


def _texts(
    names: pa.ChunkedArray, values: Codes, chosen: NDArray[np.bool_]
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """The texts of the keys that are chosen, and of their values."""
    import numpy as np

    keys = np.flatnonzero(chosen)
    return names.take(_array(keys)), names.take(_array(values[keys]))


def _array(places: Codes) -> pa.Array:
    import pyarrow as pa

    return pa.array(places)


def _no_texts() -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([], pa.large_string())
