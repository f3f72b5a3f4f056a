"""Names of published files that a home refuses. On an object store: tests/integration/s3."""

from __future__ import annotations

import pytest

from social_assets.lake.artifacts.publications import ArtifactStoreError, refuse_outside

URL = "s3://bucket/artifacts/champion"


def test_files_of_versions_and_names_of_versions_are_taken() -> None:
    refuse_outside(URL, ["", "current", "als/current", "als/1/factors.npz", "als/1..2/a..b"])


@pytest.mark.parametrize("path", ["../../.ssh/authorized_keys", "/etc/passwd", "als/../../x", ".."])
def test_a_name_outside_of_the_folder_of_models_is_refused(path: str) -> None:
    with pytest.raises(ArtifactStoreError, match=f"index of {URL} names .* somebody else writes"):
        refuse_outside(URL, ["current", path])
