"""Interaction files, and the commands that measure models on them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from recsys.interaction_file import InteractionFileError, folds, read_interactions, read_train_test
from social_assets.cli.commands.models.recsys import recsys


@pytest.fixture
def files(tmp_path):
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_text("a x y\nb x z x\nç y\n\nd\n", encoding="utf-8")
    test.write_text("a z x\nb y\nç x new\n", encoding="utf-8")
    return train, test


def test_a_line_is_a_user_and_items_of_any_unicode(files):
    pairs = read_interactions(files[0])
    rows = sorted(zip(pairs["user_id"].to_pylist(), pairs["item_id"].to_pylist(), strict=True))
    assert rows == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "z"), ("ç", "y")]


def test_the_items_of_a_line_may_be_in_order(tmp_path):
    file = tmp_path / "walks.txt"
    file.write_text("a z x z y\nb x\na w\n")
    rows = read_interactions(file, in_order=True).sort_by("event_time")
    pairs = zip(rows["user_id"].to_pylist(), rows["item_id"].to_pylist(), strict=True)
    assert list(pairs) == [("a", "z"), ("a", "x"), ("a", "y"), ("b", "x"), ("a", "w")]
    assert "event_time" not in read_interactions(file).column_names


def test_pairs_that_train_has_are_no_test_and_items_of_test_alone_are_known(files):
    pairs = read_train_test(*files)
    assert pairs.repeated == 1
    assert pairs.test.csr.nnz == 4
    assert pairs.train.items.to_pylist() == ["new", "x", "y", "z"]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"user_alone\n", b"\xff\xfe"])
def test_a_file_without_pairs_is_refused_by_name(tmp_path, content):
    (tmp_path / "pairs.txt").write_bytes(content)
    with pytest.raises(InteractionFileError, match=r"pairs\.txt .*user item item"):
        read_interactions(tmp_path / "pairs.txt")


def test_folds_test_each_pair_once(tasteful):
    cuts = folds(tasteful, 4, seed=2)
    assert sum(cut.test.csr for cut in cuts).nnz == tasteful.csr.nnz
    assert all(cut.train.csr.nnz + cut.test.csr.nnz == tasteful.csr.nnz for cut in cuts)
    per_user = np.stack([np.diff(cut.test.csr.indptr) for cut in cuts])
    assert (per_user.max(axis=0) - per_user.min(axis=0) <= 1).all()


def test_the_command_cross_validates_and_gives_the_mean_of_the_folds(tmp_path):
    train = tmp_path / "train.txt"
    train.write_text("".join(f"u{n} a b c i{n % 5} j{n % 3}\n" for n in range(30)))
    arguments = ["evaluate", "--train", str(train), "--folds", "3", "--model", "popularity"]
    done = CliRunner().invoke(recsys, [*arguments, "--format", "json"])
    each = [float(line.split("ndcg ")[1]) for line in done.stderr.splitlines()]
    assert len(each) == 3
    assert json.loads(done.stdout)["ndcg@20"] == pytest.approx(np.mean(each), abs=1e-4)
    both = CliRunner().invoke(recsys, [*arguments, "--test", str(train)])
    assert "leave --test out" in both.output
    one = CliRunner().invoke(recsys, ["evaluate", "--train", str(train), "--folds", "1"])
    assert "cross-validation needs two folds or more" in str(one.exception)


def test_the_command_prints_the_figures_of_the_boards(files):
    train, test = map(str, files)
    arguments = ["evaluate", "--train", train, "--test", test, "--model", "popularity"]
    done = CliRunner().invoke(recsys, [*arguments, "--format", "json"])
    figures = json.loads(done.stdout)
    names = ["recall@20", "ndcg@20", "fit_seconds", "recommend_seconds", "peak_memory_bytes"]
    assert list(figures) == names
    # All items are offered to each user; the item that train lacks is last.
    assert figures["recall@20"] == 1


def test_the_command_tests_on_the_last_item_of_each_line(tmp_path):
    train = tmp_path / "walks.txt"
    # All end with z; popularity offers it to everyone who has all else.
    train.write_text("".join(f"u{n} a b z\n" for n in range(5)) + "v z a b\nw own\n")
    arguments = ["evaluate", "--train", str(train), "--last-out", "--format", "json"]
    done = CliRunner().invoke(recsys, [*arguments, "--model", "popularity"])
    assert json.loads(done.stdout)["recall@20"] == 1
    both = CliRunner().invoke(recsys, [*arguments, "--folds", "3"])
    assert "give one of them" in both.output
    unordered = ["evaluate", "--train", str(train), "--model", "sasrec"]
    wrong = CliRunner().invoke(recsys, unordered)
    assert "rows with event_time" in str(wrong.exception)


def test_an_unknown_model_is_named(files):
    done = CliRunner().invoke(recsys, ["evaluate", "--train", str(files[0]), "--model", "deep"])
    assert "no model is called 'deep'" in str(done.exception)


def test_best_tells_what_it_tried_and_chose_beside_the_figures(tmp_path):
    train = tmp_path / "train.txt"
    train.write_text("".join(f"u{n} a b c i{n % 5} j{n % 3}\n" for n in range(60)))
    arguments = ["evaluate", "--train", str(train), "--format", "json"]
    done = CliRunner().invoke(recsys, [*arguments, "--parameters", '{"seconds": 0.001}'])
    assert "chosen: popularity" in done.stderr
    assert 0 < json.loads(done.stdout)["ndcg@20"] <= 1
    wrong = CliRunner().invoke(recsys, [*arguments, "--parameters", '{"width": 4}'])
    assert "best does not take {'width': 4}" in str(wrong.exception)


def test_the_search_for_parameters_prints_every_trial_and_how_to_use_the_best(tmp_path):
    train = tmp_path / "train.txt"
    train.write_text("".join(f"u{n} a b c i{n % 5} j{n % 3}\n" for n in range(60)))
    arguments = ["tune", "--train", str(train), "--model", "ease", "--trials", "3"]
    done = CliRunner().invoke(recsys, arguments)
    assert 'best: --model ease --parameters \'{"regularization":' in done.stdout
    rows = json.loads(CliRunner().invoke(recsys, [*arguments, "--format", "json"]).stdout)
    assert [row["trial"] for row in rows] == [1, 2, 3]
    unknown = CliRunner().invoke(recsys, ["tune", "--train", str(train), "--model", "popularity"])
    assert "popularity has nothing to tune" in str(unknown.exception)
