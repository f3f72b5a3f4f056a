"""The mark from which a chain reads what is newer than a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from social_assets.ingest.connectors.declaration.paging import NewestFirst, Since, SinceId
from social_assets.ingest.connectors.engine.marks import earlier
from social_assets.ingest.connectors.registry import connector_of

AT = datetime(2026, 3, 1, tzinfo=UTC)
TIME = NewestFirst("timestamp")


def x_posts() -> SinceId:
    since = connector_of("x").endpoint("posts").since
    assert isinstance(since, SinceId)
    return since


@pytest.mark.parametrize(
    ("since", "mark", "wanted"),
    [
        (TIME, "2026-03-09T12:00:00+00:00", "2026-03-01T00:00:00+00:00"),
        # A chain that has not come so far yet stays where it is, or else records would be missing.
        (TIME, "2026-02-09T12:00:00+00:00", "2026-02-09T12:00:00+00:00"),
        (TIME, None, None),
        (SinceId(), "77", None),
        (None, "77", None),
    ],
)
def test_a_mark_goes_back_to_a_time_and_never_forward(
    since: Since | None, mark: str | None, wanted: str | None
) -> None:
    assert earlier(since, mark, AT) == wanted


def test_ids_of_x_tell_their_time() -> None:
    # The example of X's documentation: a post of this second.
    at, id_ = datetime(2019, 12, 31, 19, 26, 16, tzinfo=UTC), 1212092628029698048
    newest = "1900000000000000000"
    begin, end = (earlier(x_posts(), newest, at + timedelta(seconds=n)) for n in (0, 1))
    assert begin is not None
    assert end is not None
    assert int(begin) <= id_ < int(end)
    assert earlier(x_posts(), newest, datetime(2006, 3, 21, tzinfo=UTC)) == "0"
