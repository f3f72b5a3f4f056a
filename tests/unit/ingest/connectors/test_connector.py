"""What a connector's declaration refuses."""

from __future__ import annotations

import pytest

from social_assets.ingest.connectors.connector import Connector


@pytest.mark.parametrize("name", ["", "my platform", "a/b", "über", "x" * 51, "x\n"])
def test_a_platform_whose_name_dagster_cannot_use_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and _"):
        Connector(name, "https://api.example", ())


@pytest.mark.parametrize("name", ["X", "My_Platform2", "x" * 50])
def test_a_platform_of_letters_and_digits_is_taken(name: str) -> None:
    assert Connector(name, "https://api.example", ()).platform == name
