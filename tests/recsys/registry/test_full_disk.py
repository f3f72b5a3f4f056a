"""On a full disk a model is published whole or not at all, and the previous one serves."""

import pytest

from recsys import load, publish
from recsys.registry.deployment_history import champion, history, promote_model
from tests.recsys.registry.test_artifact import PROVENANCE


@pytest.fixture
def als(tasteful):
    from recsys import ALS

    return ALS(factors=8, regularization=30).fit(tasteful.csr)


def test_a_model_that_finds_no_room_is_not_published(small_disk, als, tasteful):
    disk = small_disk(8)
    root = disk.path / "champion"
    promote_model(publish(als, tasteful, root, version="v1", **PROVENANCE))
    refused = 0
    for room in (0, 4096, 8192, 16_384, 32_768):
        disk.fill(leave_bytes=room)
        try:
            promote_model(publish(als, tasteful, root, version="v2", **PROVENANCE))
        except OSError as error:
            refused += 1
            assert "No space left on device" in str(error)
        else:
            break
        assert champion(root) == root / "als" / "v1"
        assert load(root).manifest["version"] == "v1"
        disk.make_room()
    assert refused > 1
    disk.make_room()
    if champion(root) != root / "als" / "v2":
        promote_model(publish(als, tasteful, root, version="v2", **PROVENANCE))
    assert load(root).manifest["version"] == "v2"
    assert [each.version for each in history(root)][-1] == "v2"
