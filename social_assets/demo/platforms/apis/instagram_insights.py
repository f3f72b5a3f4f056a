"""Insights of Instagram accounts and media.

Belongs here: which metrics there are, of which media and period, and their values. One bad metric
fails the whole request, and a metric without data is missing.
"""

from __future__ import annotations

from social_assets.demo.platforms.apis.answers import (
    ApiAnswer,
    ApiCall,
    JsonObject,
    Platforms,
    Refused,
)
from social_assets.demo.platforms.apis.graph import (
    asked_metrics,
    graph_error,
    metric_object,
    window_of,
    window_paging,
)
from social_assets.demo.platforms.world.accounts import SimulatedAccount, audience_of
from social_assets.demo.platforms.world.clock import DAY, offset_time, pacific_day_ends
from social_assets.demo.platforms.world.draws import Draws
from social_assets.demo.platforms.world.posts import SimulatedPost

_BY_DAY = ("reach", "follower_count")
_TOTALS = (
    "reach",
    "views",
    "accounts_engaged",
    "total_interactions",
    "likes",
    "comments",
    "shares",
    "saves",
    "replies",
    "profile_views",
    "profile_links_taps",
    "website_clicks",
    "follows_and_unfollows",
)
_DEMOGRAPHICS = ("follower_demographics", "engaged_audience_demographics")
_OF_ANY_MEDIA = ("reach", "views", "likes", "comments", "saved", "shares", "total_interactions")
_OF_KIND = {
    "REELS": ("ig_reels_avg_watch_time", "ig_reels_video_view_total_time"),
    "IMAGE": ("profile_visits", "follows", "profile_activity"),
    "CAROUSEL_ALBUM": ("profile_visits", "follows", "profile_activity"),
}
_FEWEST_FOLLOWERS = 100
_MOST_DAYS = 30
_SPLITS = {
    "media_product_type": ("REEL", "POST", "STORY"),
    "follow_type": ("FOLLOWER", "NON_FOLLOWER"),
    "contact_button_type": ("CALL", "EMAIL"),
}


class InstagramInsights:
    """Values of metrics, from the counters of the world."""

    def __init__(self, platforms: Platforms) -> None:
        self._world = platforms.world

    def of_media(self, call: ApiCall, post: SimulatedPost) -> JsonObject:
        """Return the metrics of a media: one value each, for its whole life."""
        account = self._world.current(post.account)
        if post.published < account.business_since:
            raise Refused(_before_business())
        kind = _OF_KIND[post.kind]
        for metric in (metrics := asked_metrics(call)):
            if metric in ("impressions", "plays", "video_views"):
                text = f"(#100) Starting from version v22.0 and above, the {metric} metric is no "
                raise Refused(
                    graph_error(400, 100, text + "longer supported for the queried media.")
                )
            if metric not in _OF_ANY_MEDIA + kind:
                text = (
                    f"(#100) The Media Insights API does not support the {metric} metric for this "
                )
                raise Refused(graph_error(400, 100, text + "media product type."))
        if post.has_few_viewers:
            text = "(#10) Not enough viewers for the media to show insights"
            raise Refused(graph_error(400, 10, text))
        values = self._media_values(post, call.now)
        data = [
            metric_object(post.id, name, "lifetime", [{"value": values[name]}])
            for name in metrics
            if values[name] is not None
        ]
        return {"data": data}

    def _media_values(self, post: SimulatedPost, now: float) -> dict[str, int | None]:
        counters = self._world.counters(post, now)
        comments = self._world.count_comments(post, now)
        whole = counters.likes + comments + counters.saves + counters.shares
        return {
            "reach": counters.reach,
            "views": counters.views,
            "likes": counters.likes,
            "comments": comments,
            "saved": counters.saves,
            "shares": counters.shares,
            "total_interactions": whole,
            "ig_reels_avg_watch_time": counters.watch_ms,
            "ig_reels_video_view_total_time": counters.watch_ms * counters.views,
            "profile_visits": counters.profile_visits,
            "follows": counters.profile_visits // 9,
            # No data for most media: then the metric is missing.
            "profile_activity": counters.profile_visits // 5 if post.ordinal % 3 == 0 else None,
        }

    def of_account(self, call: ApiCall, account: SimulatedAccount) -> JsonObject:
        """Return the metrics of an account: by day, in total, or who its followers are."""
        metrics = asked_metrics(call)
        is_total = call.query.get("metric_type") == "total_value"
        for place, metric in enumerate(metrics):
            if metric not in _BY_DAY + _TOTALS + _DEMOGRAPHICS:
                known = ", ".join(dict.fromkeys(_BY_DAY + _TOTALS + _DEMOGRAPHICS))
                text = f"(#100) metric[{place}] must be one of the following values: {known}"
                raise Refused(graph_error(400, 100, text))
            if metric not in _BY_DAY and not is_total:
                text = (
                    f"(#100) The following metrics ({metric}) should be specified with parameter "
                )
                raise Refused(graph_error(400, 100, text + "metric_type=total_value"))
            if (metric in _DEMOGRAPHICS) != (call.query.get("period") == "lifetime"):
                text = f"(#100) ({metric}) is incompatible with the period of the request"
                raise Refused(graph_error(400, 100, text))
        if set(metrics) <= set(_DEMOGRAPHICS):
            return {"data": self._demographics(call, account, metrics)}
        since, until = window_of(call, _MOST_DAYS)
        ends = pacific_day_ends(since, min(until, int(call.now)))
        if is_total:
            data = [self._total(call, account, name, ends) for name in metrics]
        else:
            data = [
                metric_object(
                    account.id,
                    name,
                    "day",
                    [
                        {"value": day_value(account, name, end), "end_time": offset_time(end)}
                        for end in ends
                    ],
                )
                for name in metrics
                if name != "follower_count" or account.followers(call.now) >= _FEWEST_FOLLOWERS
            ]
        return {"data": data, "paging": window_paging(call, since, until)}

    @staticmethod
    def _total(call: ApiCall, account: SimulatedAccount, name: str, ends: list[int]) -> JsonObject:
        total = sum(day_value(account, name, end) for end in ends)
        value: JsonObject = {"value": total}
        keys = [key for key in call.query.get("breakdown", "").split(",") if key]
        unknown = [key for key in keys if key not in _SPLITS]
        if unknown:
            text = f"(#100) breakdown {unknown[0]} is not supported for {name}"
            raise Refused(graph_error(400, 100, text))
        if keys:
            value["breakdowns"] = [{"dimension_keys": keys, "results": _split(total, keys)}]
        return {
            "name": name,
            "period": "day",
            "title": name.replace("_", " ").capitalize(),
            "description": "(text)",
            "total_value": value,
            "id": f"{account.id}/insights/{name}/day",
        }

    @staticmethod
    def _demographics(
        call: ApiCall, account: SimulatedAccount, metrics: list[str]
    ) -> list[JsonObject]:
        if account.followers(call.now) < _FEWEST_FOLLOWERS:
            return []
        keys = [key for key in call.query.get("breakdown", "").split(",") if key]
        audience = audience_of(account, int(call.now // DAY))
        counts: dict[tuple[str, ...], int] = {}
        if keys and set(keys) <= {"age", "gender"}:
            for joined, number in audience["age,gender"].items():
                both = dict(zip(("age", "gender"), joined.split(","), strict=True))
                values = tuple(both[key] for key in keys)
                counts[values] = counts.get(values, 0) + number
        elif keys in (["country"], ["city"]):
            counts = {(name,): number for name, number in audience[keys[0]].items()}
        else:
            text = "(#100) breakdown must be age, gender, city or country for this metric"
            raise Refused(graph_error(400, 100, text))
        results = [{"dimension_values": list(key), "value": n} for key, n in counts.items()]
        return [
            {
                "name": name,
                "period": "lifetime",
                "title": name.replace("_", " ").capitalize(),
                "description": "(text)",
                "total_value": {"breakdowns": [{"dimension_keys": keys, "results": results}]},
                "id": f"{account.id}/insights/{name}/lifetime",
            }
            for name in metrics
        ]


def day_value(account: SimulatedAccount, name: str, end: int) -> int:
    """Return a metric of an account for the Pacific day that ends then."""
    if name in ("follower_count", "page_daily_follows_unique"):
        return account.new_followers(end)
    if name == "page_follows":
        return account.followers(end)
    scale = 0.002 if name in ("website_clicks", "replies", "profile_links_taps") else 0.05
    draws = Draws(account.seed, "day value", account.id, name, end)
    return int(account.followers(end) * scale * (0.5 + draws.share()))


def _split(total: int, keys: list[str]) -> list[JsonObject]:
    rows: list[list[str]] = [[]]
    for key in keys:
        rows = [[*row, value] for row in rows for value in _SPLITS[key]]
    part = total // (len(rows) + 1)
    first = total - part * (len(rows) - 1)
    results = [
        {"dimension_values": row, "value": part if place else first}
        for place, row in enumerate(rows)
    ]
    return [each for each in results if each["value"]]


def _before_business() -> ApiAnswer:
    return graph_error(
        400,
        100,
        "Invalid parameter",
        2108006,
        error_data={"blame_field_specs": [[""]]},
        is_transient=False,
        error_user_title="Media posted before business account conversion",
        error_user_msg="The media was posted before the account became a business account.",
    )
