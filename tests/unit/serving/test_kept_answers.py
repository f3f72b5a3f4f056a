"""Answers in memory stay within their bytes, and survive a trip through another store."""

from __future__ import annotations

from social_assets.serving.caching.kept_answers import KeptAnswer, KeptAnswers


def answer(size: int, at: float = 0.0) -> KeptAnswer:
    return KeptAnswer.of(b"application/json", bytes(i * 7 % 251 for i in range(size)), at, 60)


def test_the_answers_unused_for_the_longest_time_go_first() -> None:
    most = 4 * (answer(1000).size + 1)
    kept = KeptAnswers(most)
    for key in "abcd":
        kept.put(key, answer(1000))
    assert kept.get("a") is not None
    kept.put("e", answer(1000))
    assert kept.get("b") is None and kept.get("a") is not None
    assert kept.size <= most


def test_the_bytes_are_counted_down_when_an_answer_is_replaced() -> None:
    kept = KeptAnswers(most_bytes=100_000)
    for size in (4000, 10, 3000):
        kept.put("a", answer(size))
    assert (len(kept), kept.size) == (1, answer(3000).size + 1)


def test_an_answer_as_large_as_the_cache_is_not_kept() -> None:
    kept = KeptAnswers(most_bytes=10_000)
    kept.put("a", answer(9000))
    assert (len(kept), kept.size) == (0, 0)


def test_an_answer_is_the_same_after_a_trip_through_another_store() -> None:
    before = answer(2000, 17.5)
    assert KeptAnswer.from_bytes(before.as_bytes()) == before


def test_an_answer_is_fresh_for_its_seconds() -> None:
    found = answer(10, at=1000.0)
    assert found.is_fresh(1059.9) and not found.is_fresh(1060.0)
    assert found.age(1042.7) == 42
