"""The journal keeps the alerts of a channel that refuses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from social_assets.alerts.changes import Changes
from social_assets.alerts.channels import Channel
from social_assets.alerts.journal import Journal

HOOK = Channel("1", "json of SOME_VARIABLE", "json://somewhere")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def test_the_pause_is_twice_as_long_after_each_try_up_to_a_bound(journal: Journal) -> None:
    pauses = [journal.record_undelivered(HOOK, "refused", 0.0).next_try for _ in range(8)]
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]


def test_what_a_channel_takes_ends_its_pause(journal: Journal) -> None:
    journal.record_undelivered(HOOK, "refused", 0.0)
    journal.record_delivered(HOOK, Changes((), ()), 1.0)
    assert journal.undelivered() == {}
    assert journal.record_undelivered(HOOK, "refused", 0.0).next_try == 30
