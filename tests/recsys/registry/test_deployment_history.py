"""The published model that serves, and a return to an earlier one."""

from datetime import UTC, datetime

import pytest

from recsys import ArtifactError, InteractionMatrix, Popularity, load, publish
from recsys.registry.deployment_history import champion, history, promote_model, roll_back


@pytest.fixture
def root(rows, tmp_path):
    matrix = InteractionMatrix.from_table(rows(("a", "x"), ("b", "y")))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for version in ("v1", "v2", "v3"):
        promote_model(
            publish(
                Popularity().fit(matrix.csr),
                matrix,
                tmp_path,
                version=version,
                metrics={},
                data_window=(now, now),
                watermarks={},
                code_version="",
                make_current=False,
            )
        )
    return tmp_path


def test_rolling_back_lets_the_one_before_serve_and_forgets_nothing(root):
    assert load(root).manifest["version"] == "v3"
    assert roll_back(root).name == "v2"
    assert load(root).manifest["version"] == "v2"
    assert champion(root) == root / "popularity" / "v2"
    assert roll_back(root, "v1").name == "v1"
    assert [deployment.version for deployment in history(root)] == ["v1", "v2", "v3", "v2", "v1"]


def test_a_version_that_never_served_cannot_be_gone_back_to(root):
    with pytest.raises(ArtifactError, match=r"no version v9 to go back to; it has: .*v1"):
        roll_back(root, "v9")


def test_without_a_champion_there_is_no_way_back(tmp_path):
    assert champion(tmp_path) is None
    with pytest.raises(ArtifactError, match="no earlier version to go back to; it has: none"):
        roll_back(tmp_path)


def test_the_history_of_a_root_from_release_0_1_is_read_and_goes_on(root):
    (root / "deployments").rename(root / "reigns")
    assert [deployment.version for deployment in history(root)] == ["v1", "v2", "v3"]
    assert roll_back(root).name == "v2"
    assert [deployment.version for deployment in history(root)] == ["v1", "v2", "v3", "v2"]
