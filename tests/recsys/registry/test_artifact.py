"""A published model: its files, refused files, and what a consumer gets from it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import recsys
from recsys import ALS, ArtifactError, InteractionMatrix, Popularity, load, promote, publish, top_n
from recsys.models.catalog import new_model
from recsys.recommender import FactorRecommender
from recsys.registry.artifact import checksum_line

CHECKOUT = Path(recsys.__file__).parent.parent
PROVENANCE = {
    "metrics": {"ndcg@10": 0.25, "auc": float("nan")},
    "data_window": (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC)),
    "watermarks": {"engagement_events": {"0": 1234}},
    "code_version": "abc1234",
    "created_at": datetime(2026, 1, 15, 3, tzinfo=UTC),
}


@pytest.fixture(scope="module")
def als(tasteful):
    return ALS(factors=8, regularization=30).fit(tasteful.csr)


@pytest.fixture(scope="module")
def published(als, tasteful, tmp_path_factory):
    return publish(als, tasteful, tmp_path_factory.mktemp("models"), version="v1", **PROVENANCE)


@pytest.fixture
def copied(published, tmp_path):
    return Path(shutil.copytree(published, tmp_path / "als" / "v1"))


def rewrite(folder, change):
    """Alter the manifest with a correct checksum."""
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    text = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.json.sha256").write_bytes(checksum_line(text))


def replace_file(folder, name, content):
    """Replace a file, with a correct size and checksum in the manifest."""
    (folder / name).write_bytes(content)
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    rewrite(folder, lambda manifest: manifest["files"].update({name: entry}))


def test_the_manifest_says_where_the_model_comes_from(published):
    manifest = json.loads((published / "manifest.json").read_text())
    assert manifest["format_version"] == 2
    assert (manifest["model"], manifest["version"]) == ("als", "v1")
    assert manifest["parameters"]["factors"] == 8
    assert manifest["metrics"] == {"ndcg@10": 0.25, "auc": None}
    assert manifest["data_window"] == ["2026-01-01T00:00:00+00:00", "2026-01-15T00:00:00+00:00"]
    assert manifest["watermarks"] == {"engagement_events": {"0": 1234}}
    assert manifest["code_version"] == "abc1234"
    listed = set(manifest["files"]) | {"manifest.json", "manifest.json.sha256"}
    assert listed == {path.name for path in published.iterdir()}
    for name, entry in manifest["files"].items():
        content = (published / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_the_same_model_gives_the_same_bytes(published, als, tasteful, tmp_path):
    again = publish(als, tasteful, tmp_path, version="v1", **PROVENANCE)
    for path in published.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_a_loaded_model_recommends_what_the_model_did(published, als, tasteful):
    expected = top_n(als, tasteful, 5)
    found = load(published).recommend(tasteful.users.to_pylist(), 5)
    assert found["source"].unique().to_pylist() == ["model"]
    assert found.select(["user_id", "rank", "item_id"]).equals(
        expected.select(["user_id", "rank", "item_id"])
    )
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-5)


def test_a_loaded_model_knows_similar_items(published, als, tasteful):
    found = load(published).similar_items(tasteful.items[7].as_py(), 5)
    ids, likeness = als.similar_items(np.array([7]), 5)
    assert found["item_id"].to_pylist() == [tasteful.items[int(i)].as_py() for i in ids[0]]
    np.testing.assert_allclose(found["score"], likeness[0], rtol=1e-5)
    with pytest.raises(KeyError, match="'nothing' is not among the 400 items of als v1"):
        load(published).similar_items("nothing")


def test_an_empty_model_can_be_published_and_asked(rows, tmp_path):
    matrix = InteractionMatrix.from_table(rows())
    publish(Popularity().fit(matrix.csr), matrix, tmp_path, version="1", **PROVENANCE)
    assert load(tmp_path / "popularity").recommend("anyone").num_rows == 0


NUMPY_AND_PYARROW_ALONE = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        package = name.split(".")[0]
        allowed = {"numpy", "pyarrow", "recsys"} | sys.stdlib_module_names
        if package not in allowed and not package.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NotInstalled())
for package in ("dagster", "implicit", "scipy", "sklearn"):
    assert package not in sys.modules
"""


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("als", "factors"),
        ("graph_filter", "item_filter"),
        ("ease", "dense_filter"),
        ("blend", "weighted_sum"),
        ("hybrid", "rank_fusion"),
    ],
)
def test_a_consumer_needs_numpy_and_pyarrow_alone(name, form, tasteful, tmp_path):
    texts = [f"taste{int(item) % 8}" for item in tasteful.items.to_pylist()]
    model = new_model(name, None, texts).fit(tasteful.csr)
    published = publish(model, tasteful, tmp_path, version="v1", **PROVENANCE)
    assert json.loads((published / "manifest.json").read_text())["scoring"] == form
    user = tasteful.users[0].as_py()
    example = (CHECKOUT / "examples" / "recommend.py").read_text()
    done = subprocess.run(
        [sys.executable, "-c", NUMPY_AND_PYARROW_ALONE + example, published.as_uri(), user],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = rf"^{name} v1 .*\n1\. (\d+) .*\(model\)\n +like it: \d+"
    first = re.search(lines, done.stdout)
    assert first is not None, done.stdout
    expected = top_n(model, tasteful, 1)["item_id"][0].as_py()
    assert first.group(1) == expected
    new = rf"whoever likes {expected} may like: (\d+)"
    assert re.search(new, done.stdout), done.stdout


def test_a_models_folder_leads_to_its_current_version(als, tasteful, tmp_path):
    first = publish(als, tasteful, tmp_path, version="v1", **PROVENANCE)
    second = publish(als, tasteful, tmp_path, version="v2", **PROVENANCE)
    publish(als, tasteful, tmp_path, version="v3", make_current=False, **PROVENANCE)
    assert load(first.parent).manifest["version"] == "v2"
    promote(first)
    assert load(first.parent.as_uri()).manifest["version"] == "v1"
    assert load(second).manifest["version"] == "v2"
    assert sorted(path.name for path in first.parent.iterdir()) == ["current", "v1", "v2", "v3"]


def test_a_version_is_never_overwritten(als, tasteful, tmp_path):
    folder = publish(als, tasteful, tmp_path, version="v1", **PROVENANCE)
    with pytest.raises(FileExistsError, match="v1 exists already"):
        publish(als, tasteful, tmp_path, version="v1", **PROVENANCE)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["current", "v1"]


def test_a_publish_that_fails_halfway_leaves_nothing(als, tasteful, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        publish(als, tasteful, tmp_path, version="v1", **PROVENANCE)
    assert list((tmp_path / "als").iterdir()) == []


KILLED_BEFORE_THE_RENAME = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import pyarrow as pa
import recsys

Path.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
rows = pa.table({"user_id": ["a"], "item_id": ["x"], "weight": [1.0]})
matrix = recsys.InteractionMatrix.from_table(rows)
now = datetime.now(UTC)
recsys.publish(
    recsys.Popularity().fit(matrix.csr), matrix, Path(sys.argv[1]), version="v1", metrics={},
    data_window=(now, now), watermarks={}, code_version="",
)
"""


def test_a_publish_that_is_killed_shows_no_version_and_can_be_repeated(rows, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_THE_RENAME, str(tmp_path)], cwd=CHECKOUT, check=False
    )
    assert done.returncode == -9
    assert [path.suffix for path in (tmp_path / "popularity").iterdir()] == [".partial"]
    with pytest.raises(ArtifactError, match="is missing"):
        load(tmp_path / "popularity")
    matrix = InteractionMatrix.from_table(rows(("a", "x")))
    publish(Popularity().fit(matrix.csr), matrix, tmp_path, version="v1", **PROVENANCE)
    assert load(tmp_path / "popularity").manifest["version"] == "v1"


@pytest.mark.parametrize("version", ["", "..", "a/b", ".hidden", "current", "v 1", "x" * 200])
def test_a_version_that_is_no_plain_file_name_is_refused(als, tasteful, tmp_path, version):
    with pytest.raises(ArtifactError, match="cannot name a model or version"):
        publish(als, tasteful, tmp_path, version=version, **PROVENANCE)


def test_factors_of_another_matrix_are_refused(als, rows, tmp_path):
    other = InteractionMatrix.from_table(rows(("a", "x")))
    with pytest.raises(
        ArtifactError,
        match=r"another matrix than this of 1 users x 1 items .*user_factors \[1200, 8\]",
    ):
        publish(als, other, tmp_path, version="v1", **PROVENANCE)


def test_only_a_published_version_can_be_promoted(tmp_path):
    with pytest.raises(ArtifactError, match=r"has no manifest\.json: publish that version first"):
        promote(tmp_path)


FILES = [
    "manifest.json",
    "manifest.json.sha256",
    "factors.npz",
    "users.parquet",
    "items.parquet",
    "seen.npz",
]
each_file = pytest.mark.parametrize("name", FILES)


@each_file
def test_a_flipped_bit_anywhere_in_a_file_is_refused(copied, name):
    content = (copied / name).read_bytes()
    for position in np.random.default_rng(0).integers(len(content), size=8):
        damaged = bytearray(content)
        damaged[position] ^= 1
        (copied / name).write_bytes(damaged)
        with pytest.raises(ArtifactError, match=re.escape(str(copied)) + ".*again"):
            load(copied)


@each_file
def test_a_truncated_file_is_refused_by_name(copied, name):
    content = (copied / name).read_bytes()
    (copied / name).write_bytes(content[:-7])
    with pytest.raises(ArtifactError, match=re.escape(name)):
        load(copied)


@each_file
def test_a_missing_file_is_refused_by_name(copied, name):
    (copied / name).unlink()
    with pytest.raises(ArtifactError, match=re.escape(str(copied / name)) + " is missing"):
        load(copied)


class Bomb:
    def __reduce__(self):
        return (sys.exit, ("a pickle was executed",))


def test_pickled_arrays_are_refused_and_not_executed(copied, tmp_path):
    np.savez(tmp_path / "bomb.npz", user_factors=np.array([Bomb()]), item_factors=np.zeros(1))
    replace_file(copied, "factors.npz", (tmp_path / "bomb.npz").read_bytes())
    with pytest.raises(ArtifactError, match=r"factors\.npz is no \.npz of plain arrays.*pickled"):
        load(copied)
    np.save(tmp_path / "bomb.npy", np.array([Bomb()]), allow_pickle=True)
    for content in ((tmp_path / "bomb.npy").read_bytes(), np.array([Bomb()]).dumps(), b""):
        replace_file(copied, "factors.npz", content)
        with pytest.raises(ArtifactError, match=r"factors\.npz is no \.npz of plain arrays"):
            load(copied)


@pytest.mark.parametrize(
    ("field", "value"),
    [("format", "other/model"), ("format_version", 1), ("scoring", "neural")],
)
def test_a_foreign_format_is_refused_with_what_can_be_read(copied, field, value):
    rewrite(copied, lambda manifest: manifest.update({field: value}))
    with pytest.raises(ArtifactError, match="this code reads social-assets/recommender version 2"):
        load(copied)


@pytest.mark.parametrize("field", ["format", "files", "settings"])
def test_a_manifest_that_lacks_a_field_is_refused(copied, field):
    rewrite(copied, lambda manifest: manifest.pop(field))
    with pytest.raises(ArtifactError, match=f"manifest.json is no manifest.*{field}"):
        load(copied)


def arrays_of(copied, name):
    with np.load(copied / name) as archive:
        return dict(archive)


def test_files_that_do_not_fit_together_are_refused(copied, tmp_path):
    def refused(name, reason, **change):
        whole = (copied / name).read_bytes()
        np.savez(tmp_path / "altered.npz", **(arrays_of(copied, name) | change))
        replace_file(copied, name, (tmp_path / "altered.npz").read_bytes())
        with pytest.raises(ArtifactError, match=f"{name}.*{reason}"):
            load(copied)
        replace_file(copied, name, whole)

    factors, seen = arrays_of(copied, "factors.npz"), arrays_of(copied, "seen.npz")
    refused("factors.npz", "does not fit the ids", user_factors=factors["user_factors"][1:])
    refused("factors.npz", "8 wide", item_factors=factors["item_factors"][:, 1:])
    refused("factors.npz", "NaN or inf", item_factors=factors["item_factors"] * np.float32(np.nan))
    refused("factors.npz", "as float32", item_factors=factors["item_factors"].astype(float))
    refused("seen.npz", "does not fit", indices=seen["indices"] + np.int32(1))
    refused("seen.npz", "does not fit", indptr=seen["indptr"][::-1])
    refused("seen.npz", "does not fit", indptr=np.zeros(0, dtype=np.int64))
    replace_file(copied, "users.parquet", (copied / "items.parquet").read_bytes())
    with pytest.raises(ArtifactError, match="for 400 users and 400 items"):
        load(copied)
    replace_file(copied, "items.parquet", b"no Parquet")
    with pytest.raises(ArtifactError, match=r"items\.parquet is no Parquet of ids"):
        load(copied)


def test_a_pointer_that_leads_elsewhere_is_refused(copied):
    (copied.parent / "current").write_text("../../etc\n")
    with pytest.raises(ArtifactError, match=r"current holds '\.\./\.\./etc', which is no version"):
        load(copied.parent)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"nowhere/manifest\.json is missing"):
        load(tmp_path / "nowhere")


def test_every_factor_model_can_be_published(rows, tmp_path):
    matrix = InteractionMatrix.from_table(rows(*[(u, i) for u in "abcdefgh" for i in "uvwxyz"]))
    for model in (Popularity(), ALS(factors=2, regularization=1)):
        assert isinstance(model, FactorRecommender)
        publish(model.fit(matrix.csr), matrix, tmp_path, version="1", **PROVENANCE)
        assert load(tmp_path / model.name).manifest["parameters"] == model.parameters
