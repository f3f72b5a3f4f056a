"""`features.coordinated_texts`: planted rings are found among people who write, nothing else is."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from tests.integration.warehouse.conftest import Row, at
from tests.integration.warehouse.features.conftest import FeaturesUnderTest

DAY = date(2026, 1, 10)
NOON = at("2026-01-10 12:00")
WORDS = (
    "product",
    "people",
    "about",
    "shoes",
    "really",
    "never",
    "always",
    "colour",
    "price",
    "like",
    "it",
)


def post(number: int, text: str) -> Row:
    return {
        "post_id": f"p{number}",
        "account_id": f"account{number}",
        "platform": "X",
        "content": text,
        "published_at": NOON + timedelta(seconds=number),
        "event_time": NOON,
    }


def comment(number: int | str, author: str, moment: datetime, text: str) -> Row:
    return {
        "comment_id": f"c{number}",
        "event_time": moment,
        "published_at": moment,
        "platform": "X",
        "account_id": "a1",
        "post_id": "p1",
        "author_id": author,
        "content": text,
    }


def ring(text: str, authors: int, seconds: float, name: str = "ring") -> list[Row]:
    """Authors who write the same, one after another."""
    return [
        comment(f"{name}{n}", f"{name}{n}", NOON + timedelta(seconds=seconds * n), text)
        for n in range(authors)
    ]


def people(number: int, seed: int) -> list[Row]:
    """Comments of people: different words, and short ones that many write."""
    draw = random.Random(seed)  # noqa: S311 - seeded comments
    rows = []
    for n in range(number):
        short = draw.random() < 0.3
        text = "nice!" if short else " ".join(draw.choices(WORDS, k=draw.randint(5, 12)))
        moment = NOON + timedelta(seconds=draw.uniform(0, 3600))
        rows.append(comment(f"person{n}", f"person{n}", moment, text))
    return rows


def bursts(features: FeaturesUnderTest, *rows: Row) -> list[tuple[object, ...]]:
    """What the day has after a load of comments: link, authors, texts, seconds."""
    features.warehouse.stream("comments", *rows)
    features.build(DAY)
    return list(
        features.warehouse.client.query(
            "SELECT link, authors, texts, dateDiff('second', event_time, ended_at)\n"
            "FROM features.coordinated_texts ORDER BY event_time, authors"
        ).result_rows
    )


def test_planted_rings_are_found_among_people_and_nothing_else_is(
    features: FeaturesUnderTest,
) -> None:
    same_link = [
        comment(
            f"link{n}",
            f"link{n}",
            NOON + timedelta(minutes=30, seconds=2 * n),
            f"{WORDS[n]} look https://Win.example/prize/?from={n} now",
        )
        for n in range(6)
    ]
    rows = [*people(400, seed=11), *ring("Buy these shoes today, best price!", 8, 5), *same_link]
    assert bursts(features, *rows) == [("", 8, 8, 35), ("win.example/prize", 6, 6, 10)]


def test_letters_of_another_case_and_spaces_do_not_make_another_text(
    features: FeaturesUnderTest,
) -> None:
    rows = ring("Buy these shoes  today,\nbest price!", 3, 5, "a")
    rows += ring(" BUY THESE SHOES TODAY, best price!\u00a0", 3, 5, "b")
    assert bursts(features, *rows) == [("", 6, 6, 10)]


def test_one_author_who_repeats_a_text_is_no_ring(features: FeaturesUnderTest) -> None:
    rows = [{**row, "author_id": "one"} for row in ring("Buy these shoes today, best price!", 9, 1)]
    assert bursts(features, *rows) == []


def test_a_pause_of_a_minute_goes_on_with_a_burst_and_a_longer_one_ends_it(
    features: FeaturesUnderTest,
) -> None:
    text = "Buy these shoes today, best price!"
    rows = ring(text, 5, 60, "minute") + ring("Other words than those before", 9, 61, "longer")
    assert bursts(features, *rows) == [("", 5, 5, 240)]


def test_four_authors_and_short_texts_and_texts_without_author_or_time_are_left_out(
    features: FeaturesUnderTest,
) -> None:
    text = "Buy these shoes today, best price!"
    nobody = [{**row, "author_id": None} for row in ring(text + " 1", 6, 1, "nobody")]
    never = [{**post(n, text + " 2"), "published_at": None} for n in range(6)]
    features.warehouse.stream("posts", *never)
    rows = [*ring(text, 4, 1), *ring("too short", 9, 1, "short"), *nobody]
    assert bursts(features, *rows) == []


def test_texts_of_posts_and_of_comments_count_together_and_platforms_do_not(
    features: FeaturesUnderTest,
) -> None:
    text = "Buy these shoes today, best price!"
    features.warehouse.stream("posts", *(post(n, text) for n in range(3)))
    elsewhere = [{**row, "platform": "YouTube"} for row in ring(text, 4, 1, "elsewhere")]
    assert bursts(features, *ring(text, 3, 1), *elsewhere) == [("", 6, 6, 2)]
    evidence = features.warehouse.value("SELECT text_ids FROM features.coordinated_texts")
    assert evidence == [
        *("comments:cring0", "comments:cring1", "comments:cring2"),
        *("posts:p0", "posts:p1", "posts:p2"),
    ]


def test_nothing_is_left_of_texts_that_are_erased(features: FeaturesUnderTest) -> None:
    rows = ring("Buy these shoes today, best price!", 6, 1)
    assert bursts(features, *rows)
    features.warehouse.client.command("TRUNCATE TABLE cleaned.comments")
    assert bursts(features, *rows[:4]) == []
