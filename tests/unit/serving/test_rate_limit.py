"""A key may use its minute's requests at once, and then as many as time brings."""

from __future__ import annotations

import pytest

from social_assets.serving.callers import PERSON, Caller
from social_assets.serving.problems import ProblemError
from social_assets.serving.rate_limit import RateLimit


def test_requests_come_back_with_time_and_each_key_has_its_own() -> None:
    now = [0.0]
    limit = RateLimit(lambda: now[0])
    one, other = (Caller(name, None, False, 60, "") for name in ("one", "other"))
    for _ in range(60):
        limit.take(one)
    with pytest.raises(ProblemError) as refused:
        limit.take(one)
    assert (refused.value.status, refused.value.retry_after) == (429, 1)
    limit.take(other)
    now[0] = 1.0
    limit.take(one)
    with pytest.raises(ProblemError):
        limit.take(one)


def test_a_person_is_not_limited() -> None:
    limit = RateLimit(lambda: 0.0)
    for _ in range(10_000):
        limit.take(PERSON)
