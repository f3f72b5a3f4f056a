"""The whole world: which accounts, posts and comments exist, and what was changed by hand.

Belongs here: finding things by id, and mutations. How things are made up belongs to the modules
beside; how a platform shows them belongs to `apis`.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, replace
from math import inf

from social_assets.demo.platforms.world.accounts import PLATFORMS, SimulatedAccount, made_account
from social_assets.demo.platforms.world.clock import DAY
from social_assets.demo.platforms.world.comments import (
    SimulatedComment,
    comments_of,
    made_comment,
)
from social_assets.demo.platforms.world.draws import Draws
from social_assets.demo.platforms.world.posts import (
    CountersOfPost,
    SimulatedPost,
    counters_of,
    made_post,
    posts_of_day,
)

_FIRST_PUBLISHED = 80_000
"""Ordinals from here on belong to posts that were published by hand."""


class UnknownIdError(LookupError):
    """The world has nothing with this id."""


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """What determines the world, besides the clock. `begin` is the day of the first posts."""

    seed: int
    accounts: int
    """Accounts of each platform."""
    begin: int


@dataclass(frozen=True, slots=True)
class _Lives:
    """The comments of a post that are ever shown, with their ends; all begins and ends, sorted."""

    comments: list[tuple[SimulatedComment, float]]
    begins: list[int]
    ends: list[float]


class SimulatedWorld:
    """Accounts with posts and comments: a function of the options, the time and the mutations."""

    def __init__(self, options: WorldOptions) -> None:
        self.options = options
        self.begin = options.begin // DAY * DAY
        self._accounts = {
            platform: {
                account.id: account
                for account in (
                    made_account(options.seed, platform, number, self.begin)
                    for number in range(1, options.accounts + 1)
                )
            }
            for platform in PLATFORMS
        }
        self._names = {
            (platform, account.username): account.id
            for platform, accounts in self._accounts.items()
            for account in accounts.values()
        }
        self._posts: dict[tuple[str, str], list[SimulatedPost]] = defaultdict(list)
        self._days: dict[tuple[str, str], int] = {}
        self._post_index: dict[tuple[str, str], SimulatedPost] = {}
        self._comments: dict[tuple[str, str], list[SimulatedComment]] = {}
        self._comment_index: dict[tuple[str, str], SimulatedComment] = {}
        self._falls: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._lives: dict[tuple[str, str], _Lives] = {}
        """A mutation forgets them all."""
        self._published = 0

    def accounts(self, platform: str) -> list[SimulatedAccount]:
        """Return all accounts of a platform, deleted ones too."""
        return list(self._accounts[platform].values())

    def account(self, platform: str, account_id: str) -> SimulatedAccount | None:
        """Return an account by id."""
        return self._accounts[platform].get(account_id)

    def named(self, platform: str, username: str) -> SimulatedAccount | None:
        """Return an account by its name, whatever the case."""
        return self.account(platform, self._names.get((platform, username.lower()), ""))

    def current(self, account: SimulatedAccount) -> SimulatedAccount:
        """Return the account as mutations have left it: posts keep the one of their making."""
        return self._accounts[account.platform][account.id]

    def all_posts(self, account: SimulatedAccount, now: float) -> list[SimulatedPost]:
        """Return every post published by then, deleted ones too, oldest first."""
        gone = self.current(account).deleted_at
        last = now if gone is None else min(now, gone)
        return [post for post in self._known(account, now) if post.published <= last]

    def posts(self, account: SimulatedAccount, now: float) -> list[SimulatedPost]:
        """Return the posts that the platform shows at a time, newest first."""
        return [post for post in reversed(self._known(account, now)) if post.is_visible(now)]

    def post(self, platform: str, post_id: str, now: float) -> SimulatedPost | None:
        """Return a post that the platform shows at a time."""
        post = self._post_index.get((platform, post_id))
        if post is None:
            for account in self._accounts[platform].values():
                self._known(account, now)
            post = self._post_index.get((platform, post_id))
        if post is None or not post.is_visible(now) or self.current(post.account).is_gone(now):
            return None
        return post

    def all_comments(self, post: SimulatedPost) -> list[SimulatedComment]:
        """Return every comment that a post ever gets, oldest first."""
        key = (post.account.platform, post.id)
        comments = self._comments.get(key)
        if comments is None:
            comments = self._comments[key] = comments_of(post)
            for comment in comments:
                self._comment_index[post.account.platform, comment.id] = comment
        return comments

    def gone_at(self, comment: SimulatedComment) -> float:
        """Return when a comment was or will be gone: with itself, its parent, its post or its
        account.
        """
        post = self._post_index[comment.post.account.platform, comment.post.id]
        ends = [comment.deleted_at, post.deleted_at, self.current(post.account).deleted_at]
        if comment.parent is not None:
            parent = self._comment_index[post.account.platform, comment.parent]
            ends.append(parent.deleted_at)
        return min((end for end in ends if end is not None), default=inf)

    def comments(self, post: SimulatedPost, now: float) -> list[SimulatedComment]:
        """Return the comments that the platform shows at a time, oldest first."""
        return [
            comment
            for comment, gone in self._lives_of(post).comments
            if comment.published <= now < gone
        ]

    def count_comments(self, post: SimulatedPost, now: float) -> int:
        """Return how many comments the platform shows at a time."""
        lives = self._lives_of(post)
        return bisect_right(lives.begins, now) - bisect_right(lives.ends, now)

    def _lives_of(self, post: SimulatedPost) -> _Lives:
        key = (post.account.platform, post.id)
        lives = self._lives.get(key)
        if lives is None:
            every = [(each, self.gone_at(each)) for each in self.all_comments(post)]
            shown = [(each, gone) for each, gone in every if each.published < gone]
            begins = [each.published for each, _ in shown]
            lives = self._lives[key] = _Lives(shown, begins, sorted(gone for _, gone in shown))
        return lives

    def comment(self, platform: str, comment_id: str, now: float) -> SimulatedComment | None:
        """Return a comment that the platform shows at a time, if its post was asked for before or
        its account can be found.
        """
        comment = self._comment_index.get((platform, comment_id))
        if comment is None:
            for account in self._accounts[platform].values():
                for post in self._known(account, now):
                    self.all_comments(post)
            comment = self._comment_index.get((platform, comment_id))
        if comment is None or self.post(platform, comment.post.id, now) is None:
            return None
        return comment if comment in self.comments(comment.post, now) else None

    def counters(self, post: SimulatedPost, now: float) -> CountersOfPost:
        """Return the counters of a post at a time, with the falls that were forced."""
        falls = self._falls.get((post.account.platform, post.id), ())
        return counters_of(post, now, sum(at <= now for at in falls))

    def _known(self, account: SimulatedAccount, now: float) -> list[SimulatedPost]:
        key = (account.platform, account.id)
        posts = self._posts[key]
        last = int(now // DAY)
        for day in range(self._days.get(key, self.begin // DAY), last + 1):
            for post in posts_of_day(account, day):
                self._keep(post)
            self._days[key] = day + 1
        return posts

    def _keep(self, post: SimulatedPost) -> None:
        platform = post.account.platform
        insort(self._posts[platform, post.account.id], post, key=lambda each: each.published)
        self._post_index[platform, post.id] = post

    # Mutations: each takes effect at the time given.

    def publish(self, account: SimulatedAccount, text: str, now: float) -> SimulatedPost:
        """Publish a post now."""
        self._published += 1
        taken = {post.published for post in self._known(account, now)}
        at = int(now)
        while at in taken:  # no two posts of an account have one second
            at -= 1
        post = made_post(account, _FIRST_PUBLISHED + self._published, at, text)
        self._keep(post)
        return post

    def add_comment(
        self, post: SimulatedPost, text: str, now: float, parent: str | None
    ) -> SimulatedComment:
        """Add a comment now."""
        comments = self.all_comments(post)
        number = max((each.number for each in comments), default=0) + 1
        draws = Draws(self.options.seed, "added comment", post.id, number)
        comment = made_comment(post, number, int(now), parent, draws=draws, text=text)
        insort(comments, comment, key=lambda each: each.published)
        self._lives.clear()
        self._comment_index[post.account.platform, comment.id] = comment
        return comment

    def delete_post(self, platform: str, post_id: str, now: float) -> None:
        """Delete a post now."""
        post = self.post(platform, post_id, now)
        if post is None:
            raise UnknownIdError(f"{platform} shows no post {post_id}: see /__truth for those")
        posts = self._posts[platform, post.account.id]
        gone = replace(post, deleted_at=int(now))
        posts[posts.index(post)] = gone
        self._post_index[platform, post_id] = gone
        self._lives.clear()

    def delete_comment(self, platform: str, comment_id: str, now: float) -> None:
        """Delete a comment now."""
        comment = self.comment(platform, comment_id, now)
        if comment is None:
            raise UnknownIdError(f"{platform} shows no comment {comment_id}: see /__truth")
        comments = self.all_comments(comment.post)
        gone = replace(comment, deleted_at=int(now))
        comments[comments.index(comment)] = gone
        self._comment_index[platform, comment_id] = gone
        self._lives.clear()

    def change_account(
        self, platform: str, account_id: str, *, deleted_at: int | None, is_private: bool
    ) -> None:
        """Delete or restore an account, make it private or public."""
        account = self.account(platform, account_id)
        if account is None:
            raise UnknownIdError(f"{platform} has no account {account_id}: see /__truth")
        changed = replace(account, deleted_at=deleted_at, is_private=is_private)
        self._accounts[platform][account_id] = changed
        self._lives.clear()

    def fall(self, platform: str, post_id: str, now: float) -> None:
        """Let the counters of a post fall by 7 % now."""
        if self.post(platform, post_id, now) is None:
            raise UnknownIdError(f"{platform} shows no post {post_id}: see /__truth for those")
        self._falls[platform, post_id].append(int(now))
