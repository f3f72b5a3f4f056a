"""Insights of Facebook pages and posts.

Belongs here: which metrics there are and their values. One that was withdrawn, such as
`page_impressions_unique`, fails the whole request.
"""

from __future__ import annotations

from social_assets.demo.platforms.apis.answers import ApiCall, JsonObject, Platforms, Refused
from social_assets.demo.platforms.apis.graph import (
    asked_metrics,
    graph_error,
    metric_object,
    window_of,
    window_paging,
)
from social_assets.demo.platforms.apis.instagram_insights import day_value
from social_assets.demo.platforms.world.accounts import SimulatedAccount
from social_assets.demo.platforms.world.clock import offset_time, pacific_day_ends
from social_assets.demo.platforms.world.posts import SimulatedPost

_PAGE_METRICS = (
    "page_media_view",
    "page_post_engagements",
    "page_follows",
    "page_daily_follows_unique",
    "page_views_total",
    "page_total_media_view_unique",
)
_POST_METRICS = (
    "post_media_view",
    "post_total_media_view_unique",
    "post_reactions_by_type_total",
    "post_clicks",
)
_BAD_METRIC = "(#100) The value must be a valid insights metric"
_MOST_DAYS = 90


class FacebookInsights:
    """Values of metrics, from the counters of the world."""

    def __init__(self, platforms: Platforms) -> None:
        self._world = platforms.world

    @staticmethod
    def of_page(call: ApiCall, page: SimulatedAccount) -> JsonObject:
        """Return metrics of a page by day, with links to other windows."""
        metrics = asked_metrics(call)
        if any(metric not in _PAGE_METRICS for metric in metrics):
            raise Refused(graph_error(400, 100, _BAD_METRIC))
        period = call.query.get("period", "day")
        lengths = {"day": 1, "week": 7, "days_28": 28}
        if period not in lengths:
            raise Refused(graph_error(400, 100, f"(#100) period {period} is not supported"))
        since, until = window_of(call, _MOST_DAYS)
        ends = pacific_day_ends(since, min(until, int(call.now)))
        data = [
            metric_object(
                page.id,
                name,
                period,
                [
                    {
                        "value": day_value(page, name, end)
                        * (1 if name == "page_follows" else lengths[period]),
                        "end_time": offset_time(end),
                    }
                    for end in ends
                ],
            )
            for name in metrics
        ]
        return {"data": data, "paging": window_paging(call, since, until)}

    def of_post(self, post: SimulatedPost, names: list[str], now: float) -> list[JsonObject]:
        """Return metrics of a post: a number, or an object by reaction."""
        if any(name not in _POST_METRICS for name in names):
            raise Refused(graph_error(400, 100, _BAD_METRIC))
        counters = self._world.counters(post, now)
        loves = counters.likes // 6
        reactions = {"like": counters.likes - loves, "love": loves}
        values: dict[str, object] = {
            "post_media_view": counters.views,
            "post_total_media_view_unique": counters.reach,
            "post_reactions_by_type_total": {k: v for k, v in reactions.items() if v},
            "post_clicks": counters.profile_visits,
        }
        return [
            metric_object(post.id, name, "lifetime", [{"value": values[name]}]) for name in names
        ]
