"""On real data, if it is present: ALS with its defaults beats popularity within seconds."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import pytest

import recsys

EVENTS = Path(recsys.__file__).parents[2] / "shared/data/movietweetings/engagement_events.ndjson.gz"


@pytest.mark.skipif(not EVENTS.exists(), reason=f"{EVENTS.name} of MovieTweetings is not present")
def test_als_beats_popularity_on_movies_rated_after_august():
    with gzip.open(EVENTS) as file:
        events = pa.json.read_json(file)
    liked = events.filter(pc.greater_equal(events["value"], 7))
    table = pa.table(
        {
            "user_id": liked["user_id"],
            "item_id": liked["post_id"],
            "weight": pa.repeat(1.0, liked.num_rows),
            "event_time": liked["event_time"].cast(pa.timestamp("s", "UTC")),
        }
    )
    split = recsys.temporal_split(table, datetime(2013, 8, 1, tzinfo=UTC))
    als, popularity = (
        recsys.evaluate(model.fit(split.train.csr), split.train, split.test)
        for model in (recsys.ALS(), recsys.Popularity())
    )
    assert len(als.user_indices) > 2000
    assert recsys.bootstrap_difference(als, popularity, k=10).candidate_wins
