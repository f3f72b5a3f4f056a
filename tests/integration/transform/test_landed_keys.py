"""The set of landed keys equals a plain set for any order and split, in memory and in files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social_assets.contracts.registry import contract
from social_assets.transform import landed_keys
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.landed_keys import KEY_HASH, LandedKeys, halves, key_hash

Key = tuple[int, int]

# Few values in each half, so that keys repeat and different keys share their high half.
HALVES = st.one_of(st.integers(0, 3), st.sampled_from([2**63, 2**64 - 1]))
BATCHES = st.lists(st.lists(st.tuples(HALVES, HALVES), max_size=40), max_size=12)


def arrays(keys: Sequence[Key]) -> tuple[np.ndarray, np.ndarray]:
    halves = np.array(keys, np.uint64).reshape(-1, 2)
    return halves[:, 0].copy(), halves[:, 1].copy()


def first_time(batches: Sequence[Sequence[Key]]) -> list[list[bool]]:
    """The result of a plain set."""
    landed: set[Key] = set()
    found = []
    for batch in batches:
        found.append([])
        for key in batch:
            found[-1].append(key not in landed)
            landed.add(key)
    return found


@pytest.mark.parametrize("memory_keys", [4_000_000, 0], ids=["in memory", "in mapped files"])
@given(batches=BATCHES)
@settings(deadline=None, max_examples=150)
def test_it_admits_what_a_plain_set_would(
    memory_keys: int, batches: list[list[Key]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landed_keys, "MEMORY_KEYS", memory_keys)
        keys = LandedKeys(tmp_path_factory.getbasetemp() / "spill")
        admitted = [keys.admit(*arrays(batch)).tolist() for batch in batches]
    assert admitted == first_time(batches)
    assert len(keys) == len({key for batch in batches for key in batch})


def test_many_keys_of_one_high_half_are_told_apart(tmp_path: Path) -> None:
    low = np.arange(500, dtype=np.uint64)
    high = np.zeros_like(low)
    keys = LandedKeys(tmp_path)
    assert keys.admit(high, low).all()
    assert not keys.admit(high, low[::-1].copy()).any()


def test_runs_stay_few_however_many_batches_come(tmp_path: Path) -> None:
    keys = LandedKeys(tmp_path)
    numbers = np.random.default_rng(1).integers(0, 2**63, (1_000, 50)).astype(np.uint64)
    for batch in numbers:
        keys.admit(batch, batch)
    assert len(keys._runs) <= np.log2(numbers.size / 50) + 1
    assert len(keys) == len(np.unique(numbers))


def test_mapped_files_leave_no_name_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landed_keys, "MEMORY_KEYS", 10)
    keys = LandedKeys(tmp_path / "spill")
    for start in range(0, 1_000, 100):
        keys.admit(*arrays([(n, n) for n in range(start, start + 100)]))
    assert not keys.admit(*arrays([(n, n) for n in range(1_000)])).any()
    assert list((tmp_path / "spill").iterdir()) == []


def test_the_parts_of_a_key_do_not_run_together(session: Session) -> None:
    video = contract("video_interactions")
    rows = session.rows(pa.table({"user_id": [1, 11, 1, 111], "video_id": [11, 1, 11, 1]}))
    found = session.table(rows.select(key_hash=key_hash(rows, video)))[KEY_HASH]
    first, second, again, third = zip(*(half.tolist() for half in halves(found)), strict=True)
    assert first == again
    assert len({first, second, third}) == 3


def test_the_halves_are_those_of_the_md5_of_the_key(session: Session) -> None:
    names = [f"event {number}" for number in range(200)]
    rows = session.rows(pa.table({"event_id": names}))
    hashes = rows.select("event_id", key_hash=key_hash(rows, contract("engagement_events")))
    found = session.table(hashes).sort_by("event_id")
    # A slice and several chunks, as in real batches.
    column = found[KEY_HASH].combine_chunks()
    high, low = (half.tolist() for half in halves(pa.chunked_array([column[:50], column[50:]])))
    numbers = [h << 64 | lo for h, lo in zip(high, low, strict=True)]
    digests = [hashlib.md5(name.encode()).digest() for name in sorted(names)]  # noqa: S324
    assert numbers == [int.from_bytes(digest, "little") for digest in digests]
