"""Rows become a matrix, and the matrix is saved and loaded."""

import numpy as np
import pyarrow as pa
import pytest

from recsys import InteractionMatrix
from recsys.registry.files import UnreadableFileError


def as_dict(matrix):
    coo = matrix.csr.tocoo()
    return {
        (matrix.users[u].as_py(), matrix.items[i].as_py()): w
        for u, i, w in zip(coo.row, coo.col, coo.data, strict=True)
    }


def test_weights_of_one_user_and_item_are_summed(rows):
    matrix = InteractionMatrix.from_table(rows(("a", "x", 1), ("b", "y", 2), ("a", "x", 0.5)))
    assert as_dict(matrix) == {("a", "x"): 1.5, ("b", "y"): 2}
    assert matrix.csr.dtype == np.float32


def test_ids_are_numbered_in_sorted_order_whatever_their_script(rows):
    ids = ["zebra", "Ärger", "10", "9", "日本", "😀", "", "\uff41", "\U0001f468\u200d\U0001f469"]
    matrix = InteractionMatrix.from_table(rows(*[(name, name) for name in ids]))
    assert matrix.users.to_pylist() == sorted(ids)
    assert as_dict(matrix) == {(name, name): 1 for name in ids}


def test_the_same_rows_in_any_order_and_chunking_give_the_same_bytes(tasteful_table, tmp_path):
    order = np.random.default_rng(0).permutation(tasteful_table.num_rows)
    shuffled = tasteful_table.take(pa.array(order))
    chunked = pa.concat_tables([shuffled.slice(0, 777), shuffled.slice(777)])
    for name, table in (("one", tasteful_table), ("two", chunked)):
        InteractionMatrix.from_table(table).save(tmp_path / name)
    for file in ("matrix.npz", "users.parquet", "items.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_ids_may_come_as_numbers_or_dictionaries(rows):
    table = rows(("2", "x"), ("10", "y"))
    numbers = table.set_column(0, "user_id", pa.array([2, 10]))
    encoded = table.set_column(0, "user_id", table["user_id"].dictionary_encode())
    for other in (numbers, encoded):
        assert as_dict(InteractionMatrix.from_table(other)) == {("2", "x"): 1, ("10", "y"): 1}


def test_a_weight_of_zero_is_no_interaction(rows):
    matrix = InteractionMatrix.from_table(rows(("a", "x", 0), ("a", "y", 1)))
    assert as_dict(matrix) == {("a", "y"): 1}
    assert matrix.csr.nnz == 1


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -1.0, 1e39])
def test_a_weight_that_is_no_finite_amount_is_refused_with_its_row(rows, weight):
    with pytest.raises(ValueError, match=r"row 1 \(user b, item y\), 1 rows in all"):
        InteractionMatrix.from_table(rows(("a", "x"), ("b", "y", weight)))


@pytest.mark.parametrize("column", ["user_id", "item_id", "weight"])
def test_a_null_is_refused_with_its_column(rows, column):
    table = rows(("a", "x"), ("b", "y"))
    at = table.column_names.index(column)
    holed = table.set_column(at, column, pa.array([None, None], table[column].type))
    with pytest.raises(ValueError, match=f"{column} is null in 2 rows"):
        InteractionMatrix.from_table(holed)


def test_an_absent_column_is_named(rows):
    with pytest.raises(ValueError, match="no column weight among user_id, item_id"):
        InteractionMatrix.from_table(rows(("a", "x")).drop_columns("weight"))


def test_no_rows_give_a_matrix_without_users_and_items(rows):
    matrix = InteractionMatrix.from_table(rows())
    assert matrix.csr.shape == (0, 0)


def test_given_id_maps_are_kept_and_strangers_refused(rows):
    wide = InteractionMatrix.from_table(rows(("a", "x"), ("b", "y"), ("c", "z")))
    narrow = InteractionMatrix.from_table(rows(("b", "z")), users=wide.users, items=wide.items)
    assert narrow.csr.shape == (3, 3)
    assert as_dict(narrow) == {("b", "z"): 1}
    with pytest.raises(ValueError, match="user_id q and others, 1 rows in all"):
        InteractionMatrix.from_table(rows(("q", "z")), users=wide.users, items=wide.items)


def test_a_saved_matrix_loads_as_it_was(tasteful, tmp_path):
    tasteful.save(tmp_path / "matrix")
    loaded = InteractionMatrix.load(tmp_path / "matrix")
    assert (loaded.csr != tasteful.csr).nnz == 0
    assert loaded.users.equals(tasteful.users)
    assert loaded.items.equals(tasteful.items)


def test_a_saved_matrix_is_never_overwritten(tasteful, tmp_path):
    tasteful.save(tmp_path / "matrix")
    with pytest.raises(FileExistsError, match="never overwritten"):
        tasteful.save(tmp_path / "matrix")
    assert [path.name for path in tmp_path.iterdir()] == ["matrix"]


def test_a_damaged_matrix_file_is_named(tasteful, tmp_path):
    tasteful.save(tmp_path / "matrix")
    file = tmp_path / "matrix" / "matrix.npz"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UnreadableFileError, match=r"matrix\.npz is no \.npz of plain arrays"):
        InteractionMatrix.load(tmp_path / "matrix")


def test_a_matrix_over_more_items_weighs_the_same(rows):
    narrow = InteractionMatrix.from_table(rows(("a", "x", 2), ("a", "z"), ("b", "z", 3)))
    wide = narrow.over(pa.array(["u", "x", "y", "z"]))
    assert as_dict(wide) == as_dict(narrow)
    assert wide.csr.shape == (2, 4)
    assert wide.csr.has_sorted_indices
    with pytest.raises(ValueError, match="item_id x and others, 2 rows in all"):
        narrow.over(pa.array(["u"]))


def test_each_pair_has_the_time_when_the_user_first_had_the_item(rows):
    table = rows(("a", "y", 1, 4), ("a", "x", 1, 9), ("a", "y", 1, 2), ("b", "x", 0, 1))
    matrix = InteractionMatrix.from_table(table)
    day = 86_400_000_000
    begin = int(np.datetime64("2026-01-01", "us").astype(int))
    assert matrix.times.tolist() == [begin + 9 * day, begin + 2 * day]
    assert matrix.over(pa.array(["w", "x", "y", "z"])).times.tolist() == matrix.times.tolist()
    kept = matrix.keeping(np.array([False, True]))
    assert (kept.csr.toarray().tolist(), kept.times.tolist()) == (
        [[0, 2], [0, 0]],
        [begin + 2 * day],
    )


def test_rows_without_times_give_a_matrix_without_times_as_does_a_file_of_an_earlier_release(
    rows, tmp_path
):
    matrix = InteractionMatrix.from_table(rows(("a", "x")).drop(["event_time"]))
    assert matrix.times is None
    matrix.save(tmp_path / "old")
    with np.load(tmp_path / "old" / "matrix.npz") as arrays:
        assert sorted(arrays.files) == ["data", "indices", "indptr"]
    assert InteractionMatrix.load(tmp_path / "old").times is None


def test_times_that_do_not_fit_a_saved_matrix_are_refused(rows, tmp_path):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("a", "y")))
    short = InteractionMatrix(matrix.csr, matrix.users, matrix.items, matrix.times[:1])
    short.save(tmp_path / "short")
    with pytest.raises(UnreadableFileError, match=r"matrix.npz should hold 2 times as int64"):
        InteractionMatrix.load(tmp_path / "short")


@pytest.mark.parametrize("times", [["2026-01-01"], [None]])
def test_an_event_time_that_is_no_time_is_refused(rows, times):
    table = rows(("a", "x")).drop(["event_time"])
    kind = pa.string() if times[0] else pa.timestamp("us")
    with pytest.raises(ValueError, match=r"event_time is (string|null)"):
        InteractionMatrix.from_table(table.append_column("event_time", pa.array(times, kind)))
