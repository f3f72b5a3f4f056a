"""Sequences are cut into pieces and packed into rows; nothing is lost and no piece sees another."""

import numpy as np
import pytest

from recsys.models.deep.packing import SequencePieces, pack

START = 99


def pieces(*sequences, length):
    lengths = [len(each) for each in sequences]
    items = np.array([item for each in sequences for item in each], dtype=np.int32)
    return SequencePieces.of(np.concatenate(([0], np.cumsum(lengths, dtype=int))), items, length)


def test_a_long_sequence_is_cut_so_that_its_last_piece_is_full():
    cut = pieces([1, 2, 3, 4, 5], [6], [], [7, 8], length=2)
    found = [cut.items[a:b].tolist() for a, b in zip(cut.indptr[:-1], cut.indptr[1:], strict=True)]
    assert found == [[1], [2, 3], [4, 5], [6], [7, 8]]


def test_each_place_reads_the_item_before_the_one_it_predicts():
    rows = pack(pieces([1, 2, 3], [4, 5], [6], length=4), np.array([0, 2, 1]), 4, START, 1)
    assert rows.inputs.tolist() == [[START, 1, 2, START], [START, 4, 0, 0]]
    assert rows.targets.tolist() == [[1, 2, 3, 6], [4, 5, 0, 0]]
    assert rows.segments.tolist() == [[1, 1, 1, 2], [1, 1, 0, 0]]
    assert rows.places.tolist() == [[0, 1, 2, 0], [0, 1, 0, 0]]


def test_empty_rows_fill_the_last_step():
    assert len(pack(pieces([1], length=1), np.array([0]), 1, START, 8)) == 8


def test_no_sequence_gives_no_row():
    assert len(pack(pieces(length=3), np.array([], dtype=np.int64), 3, START, 8)) == 0


@pytest.mark.parametrize("width", [7, 20])
def test_every_item_is_predicted_once_with_little_padding(width):
    random = np.random.default_rng(0)
    sequences = [random.integers(50, size=n) for n in random.integers(1, 40, size=300)]
    cut = pieces(*sequences, length=width)
    rows = pack(cut, random.permutation(len(cut)), width, START, 1)
    predicted = rows.targets[rows.segments > 0]
    assert sorted(predicted) == sorted(np.concatenate(sequences))
    assert (rows.segments > 0).mean() > 0.7
    # Each piece begins with the token that begins a sequence.
    assert (rows.inputs[(rows.segments > 0) & (rows.places == 0)] == START).all()
