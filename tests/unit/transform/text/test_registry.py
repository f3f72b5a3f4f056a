"""Text models on disk: the same bytes again, hashes, the history, what is deleted."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recsys.registry.artifact import ArtifactError
from recsys.registry.deployment_history import history, roll_back
from social_assets.transform.text import registry
from social_assets.transform.text.models.linear import LinearTextModel, train

RECORD = {"evaluation": {}}


@cache
def model(seed: int = 0) -> LinearTextModel:
    of = ["positive", "negative"] * 20
    return train([f"text {n} {label} of {seed}" for n, label in enumerate(of)], of, "")


def test_what_is_published_is_read_back(tmp_path: Path) -> None:
    published = registry.publish(tmp_path, model(), RECORD)
    found = registry.challenger(tmp_path)
    assert found is not None
    assert found.model.version == published.folder.name
    assert np.array_equal(found.model.weights, model().weights)
    assert found.manifest["evaluation"] == {}


def test_nothing_scores_but_the_lexicon_before_a_promotion(tmp_path: Path) -> None:
    registry.publish(tmp_path, model(), RECORD)
    assert registry.promoted(tmp_path) is None
    assert registry.scoring_model(tmp_path).name == "lexicon"


def test_the_same_model_has_the_same_version_and_is_written_once(tmp_path: Path) -> None:
    first = registry.publish(tmp_path, model(), {"evaluation": "first"})
    second = registry.publish(tmp_path, model(), {"evaluation": "second"})
    assert first.folder == second.folder
    assert second.manifest["evaluation"] == "first"


def test_the_champion_stays_when_a_later_challenger_is_withdrawn(tmp_path: Path) -> None:
    registry.promote(registry.publish(tmp_path, model(1), RECORD))
    registry.publish(tmp_path, model(2), RECORD)
    registry.withdraw_challenger(tmp_path)
    registry.withdraw_challenger(tmp_path)
    assert registry.challenger(tmp_path) is None
    assert registry.scoring_model(tmp_path).name == "linear"


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json", "manifest.json.sha256"])
@pytest.mark.parametrize("is_gone", [True, False])
def test_a_damaged_file_is_refused_by_name_and_written_anew_by_the_next_training(
    tmp_path: Path, name: str, is_gone: bool
) -> None:
    published = registry.publish(tmp_path, model(), RECORD)
    registry.promote(published)
    file = published.folder / name
    if is_gone:
        file.unlink()
    else:
        file.write_bytes(b"x" + file.read_bytes()[1:])
    with pytest.raises(ArtifactError, match=r"materialize text/challenger") as refused:
        registry.scoring_model(tmp_path)
    assert str(published.folder) in str(refused.value)
    registry.publish(tmp_path, model(), RECORD)
    assert registry.scoring_model(tmp_path).version == published.folder.name


def test_a_model_of_a_later_release_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(registry, "FORMAT_VERSION", 2)
        registry.promote(registry.publish(tmp_path, model(), RECORD))
    with pytest.raises(ArtifactError, match="use the release that wrote it"):
        registry.scoring_model(tmp_path)


def test_versions_that_never_scored_are_deleted_but_for_the_newest(tmp_path: Path) -> None:
    registry.promote(registry.publish(tmp_path, model(100), RECORD))
    promoted = registry.promoted(tmp_path)
    assert promoted is not None
    for seed in range(6):
        newest = registry.publish(tmp_path, model(seed), RECORD)
    left = {folder for folder in (tmp_path / "linear").iterdir() if folder.is_dir()}
    assert {promoted.folder, newest.folder} <= left
    assert len(left) == 1 + registry.KEPT_VERSIONS


def test_the_lexicon_can_score_again_although_the_champion_is_damaged(tmp_path: Path) -> None:
    registry.let_lexicon_score(tmp_path)
    published = registry.publish(tmp_path, model(), RECORD)
    registry.promote(published)
    (published.folder / "arrays.npz").unlink()
    registry.let_lexicon_score(tmp_path)
    assert registry.scoring_model(tmp_path).name == "lexicon"
    registry.promote(registry.publish(tmp_path, model(2), RECORD))
    assert registry.scoring_model(tmp_path).name == "linear"
    assert len(history(tmp_path)) == 2


def test_an_earlier_champion_can_score_again(tmp_path: Path) -> None:
    first = registry.publish(tmp_path, model(1), RECORD)
    registry.promote(first)
    registry.promote(registry.publish(tmp_path, model(2), RECORD))
    roll_back(tmp_path)
    assert registry.scoring_model(tmp_path).version == first.folder.name
    assert len(history(tmp_path)) == 3
