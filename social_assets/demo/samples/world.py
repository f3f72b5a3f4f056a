"""The hidden truth behind the samples: who likes what, and what is popular when.

Belongs here: users, accounts, posts and videos with their latent interests, and drawing who meets
what on a day. Does not belong here: the records (the stream modules) and their errors (`flaws`).
Users, accounts and posts are numbered from 0 here and from 1 in files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from social_assets.demo.samples.vocabulary import COUNTRIES, GENDERS, PLATFORMS, PROFESSIONS, TOPICS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

INTERESTS = sum(len(interests) for interests in TOPICS.values())
TOPIC_OF = np.repeat(np.arange(len(TOPICS)), [len(interests) for interests in TOPICS.values()])
SECONDS = 86_400

_ATTENTION = np.array([0.55, 0.28, 0.17])  # of a user, over the three interests
_BY_TASTE = 0.7  # of encounters; the rest is what the platform shows to everybody
_HALF_LIFE_DAYS = 8.0  # of a post's popularity
_EVERGREEN = 0.15  # of a post's popularity that stays
_HOURLY = np.array(
    [
        30,
        18,
        11,
        8,
        7,
        10,
        20,
        38,
        52,
        58,
        60,
        64,
        72,
        70,
        64,
        62,
        66,
        76,
        90,
        104,
        112,
        104,
        82,
        52,
    ]
)


class Groups:
    """Members of groups, to be drawn by weight; every group must have some weight."""

    def __init__(self, group: Ints, weight: Floats, groups: int) -> None:
        self._members = np.argsort(group, kind="stable")
        total = np.bincount(group, weights=weight, minlength=groups)
        # Every group spans one unit of this line, so one binary search serves all groups.
        self._ends = np.cumsum((weight / total[group])[self._members])

    def draw(self, group: Ints, rng: np.random.Generator) -> Ints:
        """One member of each group named."""
        found = np.searchsorted(self._ends, group + rng.random(len(group)), side="right")
        return self._members[np.minimum(found, len(self._members) - 1)]


@dataclass(frozen=True)
class People:
    """The users: what they are (numbers into the lists of `vocabulary`) and what they like.

    `interests` is int64[users, 3], the strongest first; `active` weighs how often a user appears.
    """

    active: Groups
    interests: Ints
    age: Ints
    gender: Ints
    country: Ints
    income: Ints
    debt: Bools
    owns_property: Bools
    profession: Ints
    urban: Ints
    system: Ints
    addiction: Ints

    def draw(self, n: int, rng: np.random.Generator) -> Ints:
        """The users of `n` encounters: a few are active all day, most now and then."""
        return self.active.draw(np.zeros(n, np.int64), rng)

    def draw_interest(self, users: Ints, rng: np.random.Generator) -> Ints:
        """The interest of each user at one moment."""
        slot = np.searchsorted(np.cumsum(_ATTENTION)[:-1], rng.random(len(users)), side="right")
        return self.interests[users, slot]


@dataclass(frozen=True)
class Posts:
    """The posts in the order of publication: `second` counts from midnight of the first day."""

    interest: Ints
    account: Ints
    platform: Ints
    second: Ints
    appeal: Floats


@dataclass(frozen=True)
class Encounters:
    """Who met which post at which second of the day, and whether because of taste."""

    user: Ints
    post: Ints
    second: Ints
    by_taste: Bools


@dataclass(frozen=True)
class Videos:
    """The videos: each belongs to a topic and has a length in minutes."""

    of_topic: Groups
    topic: Ints
    length: Ints


@dataclass(frozen=True)
class World:
    """Everything that lasts longer than a day. `trend` is float64[days, interests]: the current
    fashion.
    """

    people: People
    posts: Posts
    videos: Videos
    trend: Floats

    @classmethod
    def of(cls, events: int, days: int, seed: int) -> World:
        """A world whose size suits so many engagement events."""
        rng = np.random.default_rng([seed, 0])
        accounts = max(24, events // 5_000)
        walk = rng.normal(0, 0.15, (days, INTERESTS)).cumsum(axis=0)
        return cls(
            people=_people(max(300, events // 50), rng),
            posts=_posts(max(10 * INTERESTS, events // 200), accounts, days, rng),
            videos=_videos(max(20 * len(TOPICS), events // 250), rng),
            trend=np.exp(walk),
        )

    def encounters(self, day: int, n: int, rng: np.random.Generator) -> Encounters:
        """The encounters of users and posts on one day, unordered."""
        weight = self._weights(day, rng)
        published = len(weight)
        user = self.people.draw(n, rng)
        by_taste = rng.random(n) < _BY_TASTE
        interest = self.people.draw_interest(user, rng)
        of_interest = Groups(self.posts.interest[:published], weight, INTERESTS)
        of_all = Groups(np.zeros(published, np.int64), weight, 1)
        post = np.where(by_taste, of_interest.draw(interest, rng), of_all.draw(0 * interest, rng))
        second = _not_before(seconds(n, rng), self.posts.second[post] - day * SECONDS)
        return Encounters(user, post, second, by_taste)

    def published_on(self, day: int) -> Ints:
        """The posts of a day; those before the first day belong to it."""
        ends = np.searchsorted(self.posts.second, (np.arange(2) + day) * SECONDS)
        return np.arange(0 if day == 0 else ends[0], ends[1])

    def _weights(self, day: int, rng: np.random.Generator) -> Floats:
        """The popularity, on the day, of each post published by its end."""
        published = np.searchsorted(self.posts.second, (day + 1) * SECONDS)
        age = np.maximum(day - self.posts.second[:published] / SECONDS, 0)
        decay = _EVERGREEN + (1 - _EVERGREEN) * 0.5 ** (age / _HALF_LIFE_DAYS)
        mood = rng.lognormal(0, 0.25, published)
        fashion: Floats = self.trend[day][self.posts.interest[:published]]
        return self.posts.appeal[:published] * decay * fashion * mood


def seconds(n: int, rng: np.random.Generator) -> Ints:
    """Seconds of the day at which `n` things happen: few at night, most in the evening."""
    cumulated = np.concatenate(([0], np.cumsum(_HOURLY))) / _HOURLY.sum()
    hours = np.interp(rng.random(n), cumulated, np.arange(25))
    return np.minimum(hours * 3600, SECONDS - 1).astype(np.int64)


def zipf(n: int, exponent: float, rng: np.random.Generator) -> Floats:
    """Weights of `n` things by their rank, in a random order."""
    return rng.permutation((np.arange(n) + 1.0) ** -exponent)


def _not_before(second: Ints, earliest: Ints) -> Ints:
    """Move events before `earliest` to the rest of the day."""
    start = np.maximum(earliest, 0)
    moved = start + second * (SECONDS - 1 - start) // SECONDS
    return np.where(second < start, moved, second)


def _people(n: int, rng: np.random.Generator) -> People:
    popular = zipf(INTERESTS, 0.5, rng)
    first = rng.choice(INTERESTS, n, p=popular / popular.sum())
    siblings = Groups(TOPIC_OF, np.ones(INTERESTS), len(TOPICS))
    second = siblings.draw(TOPIC_OF[first], rng)
    third = rng.choice(INTERESTS, n, p=popular / popular.sum())
    return People(
        active=Groups(np.zeros(n, np.int64), zipf(n, 0.6, rng), 1),
        interests=np.stack([first, second, third], axis=1),
        age=np.clip(rng.normal(33, 12, n), 13, 88).astype(np.int64),
        gender=rng.choice(len(GENDERS), n, p=[0.5, 0.42, 0.08]),
        country=Groups(np.zeros(len(COUNTRIES), np.int64), zipf(len(COUNTRIES), 0.7, rng), 1).draw(
            np.zeros(n, np.int64), rng
        ),
        income=np.clip(rng.lognormal(10.7, 0.5, n), 8_000, 400_000).astype(np.int64),
        debt=rng.random(n) < 0.53,
        owns_property=rng.random(n) < 0.47,
        profession=rng.integers(0, len(PROFESSIONS), n),
        urban=(rng.random(n) < 0.6).astype(np.int64),
        system=rng.choice(4, n, p=[0.5, 0.26, 0.12, 0.12]),
        addiction=np.clip(rng.normal(3, 2, n), 0, 10).astype(np.int64),
    )


def _posts(n: int, accounts: int, days: int, rng: np.random.Generator) -> Posts:
    """Half of the posts exist on the first day, with every interest among them."""
    backlog = n // 2
    older = -rng.integers(1, 45 * SECONDS, backlog)
    newer = rng.integers(0, days, n - backlog) * SECONDS + seconds(n - backlog, rng)
    interest = np.concatenate(
        [rng.permutation(np.arange(backlog) % INTERESTS), rng.integers(0, INTERESTS, n - backlog)]
    )
    topic_of_account = np.arange(accounts) % len(TOPICS)
    writers = Groups(topic_of_account, zipf(accounts, 0.6, rng), len(TOPICS))
    account = writers.draw(TOPIC_OF[interest], rng)
    platform = rng.choice(len(PLATFORMS), accounts, p=np.array([24, 22, 18, 12, 10, 6, 4, 4]) / 100)
    return Posts(
        interest=interest,
        account=account,
        platform=platform[account],
        second=np.concatenate([np.sort(older), np.sort(newer)]),
        appeal=zipf(n, 0.65, rng),
    )


def _videos(n: int, rng: np.random.Generator) -> Videos:
    topic = np.arange(n) % len(TOPICS)
    return Videos(
        of_topic=Groups(topic, zipf(n, 0.8, rng), len(TOPICS)),
        topic=topic,
        length=np.clip(rng.lognormal(2.4, 0.5, n), 1, 90).astype(np.int64),
    )
