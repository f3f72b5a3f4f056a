"""With which chance each new post is tried: even at first, then by what was clicked.

Belongs here: a policy, learning a new one, and whether it may replace the one that serves. The
bandit and the estimate are those of `recsys`; reading belongs to `tried_posts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.recommend.candidates import Admission

if TYPE_CHECKING:
    import pyarrow as pa

    from recsys.bandits.linear_thompson import LinearThompson, TriedItems
    from recsys.evaluation.off_policy import Estimates
    from recsys.scoring.ranking import Float64, Int64

EVEN, LEARNED = "even", "linear_thompson"

LEAST_SHOWN, LEAST_CLICKED, LEAST_USERS = 200, 10, 20
"""With less, nothing is learned, and the policy is even."""

_FOLDS = 2


@dataclass(frozen=True)
class Policy:
    """The chance of each post for each group of users, `chances` float64[groups, posts], and the
    click rate that is expected of it, `expected` of the same shape.
    """

    name: str
    groups: Sequence[str]
    posts: Sequence[str]
    chances: Float64
    expected: Float64


@dataclass(frozen=True)
class Learned:
    """The policy that is to serve, why, and what the estimate says of the learned one."""

    policy: Policy
    admission: Admission
    estimates: Estimates | None
    shown: int
    clicked: int


def even_policy(groups: Sequence[str], posts: Sequence[str], expected: float = 0.0) -> Policy:
    """Every post has the same chance."""
    import numpy as np

    shape = (len(groups), len(posts))
    chances = np.full(shape, 1 / max(1, len(posts)))
    return Policy(EVEN, groups, posts, chances, np.full(shape, expected))


def learn_policy(
    tried: pa.Table, groups: Sequence[str], posts: Sequence[str], before: Policy | None, seed: int
) -> Learned:
    """Learn a policy for these posts, and admit it if it is not worse than what was shown.

    The estimate is by users that the estimated policy has not learned from. If the learned policy
    is not admitted, the one before stays, for the posts that are still new.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from recsys.bandits.linear_thompson import LinearThompson

    shown, clicked = tried.num_rows, int(pc.sum(tried["clicked"]).as_py() or 0)
    users = pc.count_distinct(tried["user"]).as_py()
    even = even_policy(groups, posts, clicked / max(1, shown))
    if shown < LEAST_SHOWN or clicked < LEAST_CLICKED or users < LEAST_USERS:
        reason = (
            f"{shown} posts were drawn and shown to {users} users, and {clicked} of them clicked:"
            f" nothing is learned from fewer than {LEAST_SHOWN}, {LEAST_USERS} and {LEAST_CLICKED};"
            " every new post has the same chance"
        )
        return Learned(even, Admission(False, reason, {}), None, shown, clicked)
    arms = pc.unique(pa.chunked_array([*tried["item_id"].chunks, pa.array(posts, pa.string())]))
    given = _tried(tried, arms, groups)
    estimates = _estimated(tried, given, len(arms), len(groups), seed)
    value = estimates.doubly_robust
    assert value is not None  # noqa: S101 - estimated with a model
    passed = value.gain_high >= 0
    does = "is not worse" if passed else "is worse"
    admission = Admission(
        passed,
        f"the learned policy {does} than what was shown: {value.gain:+.4f} clicks a shown post,"
        f" 95 % interval [{value.gain_low:+.4f}, {value.gain_high:+.4f}], by {shown} shown to"
        f" {users} users",
        _figures(estimates),
    )
    if not passed:
        return Learned(_kept(before, even), admission, estimates, shown, clicked)
    model = LinearThompson.fit(given, len(arms))
    among = pc.index_in(pa.array(posts, pa.string()), value_set=arms).to_numpy().astype(np.int64)
    contexts = _contexts(len(groups))
    chances = model.chances(contexts, among, seed=seed)
    expected = np.clip(_expected(model, contexts)[:, among], 0, 1)
    policy = Policy(LEARNED, groups, posts, chances, expected)
    return Learned(policy, admission, estimates, shown, clicked)


def _figures(found: Estimates) -> dict[str, float]:
    robust = found.doubly_robust
    assert robust is not None  # noqa: S101 - estimated with a model
    return {
        "clicks_a_shown_post": found.logged,
        "ips": found.ips.mean,
        "snips": found.snips.mean,
        "snips_low": found.snips.low,
        "snips_high": found.snips.high,
        "doubly_robust": robust.mean,
        "doubly_robust_low": robust.low,
        "doubly_robust_high": robust.high,
        "gain": robust.gain,
        "gain_low": robust.gain_low,
        "gain_high": robust.gain_high,
        "effective_entries": found.effective,
    }


def _kept(before: Policy | None, even: Policy) -> Policy:
    """The policy before, for the posts of now: a post that it lacks has an even chance."""
    import numpy as np

    if before is None or list(before.groups) != list(even.groups) or not even.posts:
        return even
    place = {post: at for at, post in enumerate(before.posts)}
    column = np.array([place.get(post, -1) for post in even.posts])
    known = column >= 0
    chances, expected = even.chances.copy(), even.expected.copy()
    chances[:, known] = before.chances[:, column[known]]
    expected[:, known] = before.expected[:, column[known]]
    chances /= chances.sum(axis=1, keepdims=True)
    return Policy(before.name, even.groups, even.posts, chances, expected)


def _tried(tried: pa.Table, arms: pa.Array, groups: Sequence[str]) -> TriedItems:
    """As the bandit takes it. The place in a list has one feature, by which clicks fall."""
    import numpy as np
    import pyarrow.compute as pc

    from recsys.bandits.linear_thompson import TriedItems

    position = tried["position"].to_numpy().astype(np.float64)
    return TriedItems(
        pc.index_in(tried["item_id"], value_set=arms).to_numpy().astype(np.int64),
        np.column_stack([np.ones(len(position)), 1 / np.log2(1 + position)]),
        _contexts(len(groups))[_groups(tried, groups)],
        tried["clicked"].to_numpy().astype(np.float64),
    )


def _groups(tried: pa.Table, groups: Sequence[str]) -> Int64:
    """The number of each row's group; an unknown one counts as the empty one."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(tried["user_group"], value_set=pa.array(groups, pa.string()))
    numbers: Int64 = pc.fill_null(found, list(groups).index("")).to_numpy().astype(np.int64)
    return numbers


def _contexts(groups: int) -> Float64:
    """The features of a user of each group: one that all have, and one of the group."""
    import numpy as np

    return np.hstack([np.ones((groups, 1)), np.eye(groups)])


def _expected(model: LinearThompson, contexts: Float64) -> Float64:
    """The click rate of each item at the first place, float64[contexts, items]."""
    found: Float64 = contexts @ model.own.T + model.shared.sum()
    return found


def _estimated(tried: pa.Table, given: TriedItems, arms: int, groups: int, seed: int) -> Estimates:
    """What the learned policy would earn: that of each half of the users, by the other half.

    Of a day, only those posts could be drawn that were shown on it: the policy's chances are shared
    among these.
    """
    import numpy as np

    from recsys.bandits.linear_thompson import LinearThompson
    from recsys.evaluation.off_policy import Logged, Model, estimate

    user = tried["user"].to_numpy().astype(np.int64)
    chance = tried["chance"].to_numpy().astype(np.float64)
    group = given.user[:, 1:].argmax(axis=1)
    _, day = np.unique(tried["day"].to_numpy(), return_inverse=True)
    shown_on = np.zeros((int(day.max()) + 1, arms))
    shown_on[day, given.items] = 1
    _, numbers = np.unique(user, return_inverse=True)
    fold = np.random.default_rng(seed).integers(_FOLDS, size=int(numbers.max()) + 1)[numbers]
    policy, of_shown, of_policy = (np.zeros(len(user)) for _ in range(3))
    contexts, every = _contexts(groups), np.arange(arms)
    for number in range(_FOLDS):
        held = fold == number
        model = LinearThompson.fit(given.take(~held), arms)
        chances = model.chances(contexts, every, draws=300, seed=seed)
        own = contexts @ model.own.T
        there = shown_on @ chances.T
        days, its, items = day[held], group[held], given.items[held]
        place = given.place[held] @ model.shared
        policy[held] = chances[its, items] / there[days, its]
        of_shown[held] = place + own[its, items]
        of_policy[held] = place + (shown_on @ (chances * own).T / there)[days, its]
    return estimate(
        Logged(given.clicked, chance, user),
        np.minimum(policy, 1),
        Model(of_shown, of_policy),
        seed=seed,
    )
