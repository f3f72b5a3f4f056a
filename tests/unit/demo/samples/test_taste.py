from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
import pytest

from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.split import Split, temporal_split
from recsys.models.als import ALS
from recsys.models.popularity import Popularity
from social_assets.demo.samples import SampleFile
from tests.unit.demo.samples.reading import parsed

STREAMS_WITH_AGE = ("community_interactions", "video_interactions")
WEIGHTS = {"view": 0.5, "click": 1.0, "like": 2.0, "comment": 3.0, "share": 4.0, "follow": 3.0}


@pytest.fixture(scope="session")
def reactions(sample_files: list[SampleFile]) -> pa.Table:
    """User, post, time and value of each reaction; without unreadable records."""
    rows = [
        {
            "user_id": record["userid"],
            "item_id": record["postid"],
            "event_time": at if isinstance(at, datetime) else datetime.fromisoformat(at),
            "weight": WEIGHTS[record["metrictype"]],
        }
        for file in sample_files
        if file.stream == "engagement_events"
        for record in parsed(file.path)
        if record and record["userid"] and record["metrictype"] in WEIGHTS
        for at in [record["eventtime"]]
        if isinstance(at, datetime) or str(at).startswith("2026-11-")
    ]
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="session")
def split(reactions: pa.Table, end: date) -> Split:
    """The last two days as test data, the days before as training data."""
    return temporal_split(reactions, datetime.combine(end - timedelta(days=1), time(), UTC))


def test_a_model_that_learns_tastes_beats_popularity_by_a_half(split: Split) -> None:
    ndcg = {}
    for model in (Popularity(), ALS(factors=32, iterations=8, threads=2)):
        model.fit(split.train.csr)
        ndcg[model.name] = evaluate(model, split.train, split.test, (10,)).metrics["ndcg@10"]
    assert ndcg["als"] > 1.5 * ndcg["popularity"]
    # Popularity is a fair opponent: a random ranking of these 500 posts scores about 0.01.
    assert ndcg["popularity"] > 0.03


def test_people_come_back_to_posts_and_new_posts_appear(reactions: pa.Table, split: Split) -> None:
    pairs = split.train.csr.nnz + split.test.csr.nnz
    assert split.repeated_pairs > 0
    assert split.new_item_rows > 0
    assert 1.2 < reactions.num_rows / pairs < 4
    assert split.new_user_rows < 0.05 * reactions.num_rows


def test_tags_tell_what_a_post_is_about(sample_files: list[SampleFile]) -> None:
    posts = [
        record
        for file in sample_files
        if file.stream == "posts"
        for record in parsed(file.path)
        if record and record["tags"] and record["content"]
    ]
    assert len(posts) > 400
    assert all(2 <= len(post["tags"]) <= 3 for post in posts)
    assert len({post["tags"][0] for post in posts}) == 48
    assert len({post["content"] for post in posts}) > 0.8 * len(posts)


def test_the_users_of_all_streams_are_the_same_people(sample_files: list[SampleFile]) -> None:
    ages: dict[int, set[int]] = {}
    for file in sample_files:
        if file.stream in STREAMS_WITH_AGE and file.path.suffix == ".parquet":
            for record in filter(None, parsed(file.path)):
                user, age = record["userid"], record["age"]
                if user and user > 0 and age and 13 <= age <= 100:
                    ages.setdefault(user, set()).add(age)
    assert len(ages) > 500
    assert max(ages) <= 2_000
    assert all(len(of_user) == 1 for of_user in ages.values())
