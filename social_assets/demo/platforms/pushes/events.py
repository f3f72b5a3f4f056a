"""What happens in the world, as the platforms push it.

Belongs here: the body of each platform's webhook. Sending belongs to `deliveries`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from social_assets.demo.platforms.apis.x_objects import tweet_object, user_object
from social_assets.demo.platforms.world.comments import SimulatedComment
from social_assets.demo.platforms.world.draws import Draws
from social_assets.demo.platforms.world.posts import SimulatedPost
from social_assets.demo.platforms.world.world import SimulatedWorld

JsonObject = dict[str, Any]
_ALL_METRICS = frozenset({"public_metrics"})
_POST_FIELDS = _ALL_METRICS | {
    "lang",
    "created_at",
    "author_id",
    "reply_settings",
    "possibly_sensitive",
    "conversation_id",
}


@dataclass(frozen=True, slots=True)
class PushedEvent:
    """One event. Meta joins the entries of several in one request; `key` names it in the ledger."""

    key: str
    at: int
    body: JsonObject | str


def events_of(
    world: SimulatedWorld, platform: str, since: float, until: float
) -> Iterator[PushedEvent]:
    """Return the events of a platform after `since` and not after `until`, in the order of time."""
    made: list[PushedEvent] = []
    for account in world.accounts(platform):
        for post in world.all_posts(account, until):
            if since < post.published <= until:
                made += _of_post(world, post, until)
            if platform in ("tiktok", "youtube"):
                continue
            for comment in world.all_comments(post):
                if since < comment.published <= until and comment.published < world.gone_at(
                    comment
                ):
                    made += _of_comment(comment)
    made.sort(key=lambda each: (each.at, each.key))
    yield from made


def _of_post(world: SimulatedWorld, post: SimulatedPost, now: float) -> list[PushedEvent]:
    match post.account.platform:
        case "x":
            return [_x_post(world, post, now)]
        case "youtube":
            return [PushedEvent(f"video {post.id}", post.published, youtube_feed(post))]
        case "tiktok":
            return [_tiktok_published(post)]
        case "facebook":
            value: JsonObject = {
                "item": "status",
                "verb": "add",
                "post_id": post.id,
                "message": post.text,
            }
            value |= {"created_time": post.published, "published": 1}
            entry = _facebook_entry(post, post.published, value)
            return [PushedEvent(f"post {post.id}", post.published, entry)]
    return []


def _of_comment(comment: SimulatedComment) -> list[PushedEvent]:
    post, at = comment.post, comment.published
    if post.account.platform == "instagram":
        value: JsonObject = {
            "id": comment.id,
            "from": {
                "id": comment.author_id,
                "username": comment.author,
                "self_ig_scoped_id": comment.author_id,
            },
            "media": {
                "id": post.id,
                "media_product_type": "REELS" if post.kind == "REELS" else "FEED",
            },
        }
        value |= {"parent_id": comment.parent} if comment.parent else {}
        value |= {"text": comment.text}
        changes = [{"field": "comments", "value": value}]
        entry = {"id": post.account.id, "time": at, "changes": changes}
        return [PushedEvent(f"comment {comment.id}", at, entry)]
    if post.account.platform == "facebook":
        return _facebook_pair(comment)
    return [_x_reply(comment), *([_x_like(comment)] if comment.likes else [])]


def _facebook_pair(comment: SimulatedComment) -> list[PushedEvent]:
    """Return a comment, and for some a reaction of the same person."""
    post, at = comment.post, comment.published
    author = {"id": comment.author_id, "name": comment.author}
    shown = {"from": author} if comment.shows_author else {}
    value: JsonObject = {
        "item": "comment",
        "verb": "add",
        "comment_id": comment.id,
        "post_id": post.id,
        "parent_id": comment.parent or post.id,
        **shown,
        "message": comment.text,
        "created_time": at,
    }
    made = [PushedEvent(f"comment {comment.id}", at, _facebook_entry(post, at + 1, value))]
    if comment.likes:
        reaction = {
            "item": "reaction",
            "verb": "add",
            "reaction_type": "love",
            "post_id": post.id,
            "parent_id": post.id,
            "from": author,
            "created_time": at + 1,
        }
        key = f"reaction {post.id} {comment.author_id} add {at + 1}"
        made.append(PushedEvent(key, at + 1, _facebook_entry(post, at + 2, reaction)))
    return made


def _facebook_entry(post: SimulatedPost, at: int, value: JsonObject) -> JsonObject:
    return {"id": post.account.id, "time": at, "changes": [{"field": "feed", "value": value}]}


def _x_post(world: SimulatedWorld, post: SimulatedPost, now: float) -> PushedEvent:
    payload = tweet_object(world, post, _POST_FIELDS, "tweet", post.published)
    payload["public_metrics"] = _doubled(payload["public_metrics"])
    user = user_object(world, post.account, _ALL_METRICS, "tweet", now)
    user["public_metrics"] = _doubled(user["public_metrics"])
    key = _uuid("post", post.id)
    data = _x_data(key, post, "post.create", "posts", payload)
    return PushedEvent(key, post.published, {"data": data | {"includes": {"users": [user]}}})


def _x_reply(comment: SimulatedComment) -> PushedEvent:
    key = _uuid("reply", comment.id)
    payload = {
        "id": comment.id,
        "text": comment.text,
        "author_id": comment.author_id,
        "conversation_id": comment.post.id,
        "created_at": _milliseconds(comment.published),
        "edit_history_tweet_ids": [comment.id],
        "lang": "en",
    }
    data = _x_data(key, comment.post, "post.create", "replies", payload)
    return PushedEvent(key, comment.published, {"data": data})


def _x_like(comment: SimulatedComment) -> PushedEvent:
    post, key = comment.post, _uuid("like", comment.id)
    payload = {
        "id": Draws("like", comment.id).uuid().replace("-", ""),
        "created_at": _milliseconds(post.published),
        "timestamp_ms": str((comment.published + 2) * 1000),
        "liked_tweet_author_id": post.account.id,
        "liked_tweet_id": post.id,
    }
    data = _x_data(key, post, "like.create", "likes", payload)
    return PushedEvent(key, comment.published + 2, {"data": data})


def _x_data(key: str, post: SimulatedPost, kind: str, tag: str, payload: JsonObject) -> JsonObject:
    return {
        "event_uuid": key,
        "filter": {"user_id": post.account.id},
        "event_type": kind,
        "tag": tag,
        "payload": payload,
    }


def _uuid(*parts: str) -> str:
    """Return an `event_uuid`: a signed number of 64 bits as a text."""
    return str(Draws("event", *parts).whole() - (1 << 63))


def _doubled(metrics: JsonObject) -> JsonObject:
    """Give every count twice, as a number and as a text."""
    pairs = (((name, value), (f"{name}_str", str(value))) for name, value in metrics.items())
    return dict(item for pair in pairs for item in pair)


def _milliseconds(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _tiktok_published(post: SimulatedPost) -> PushedEvent:
    content = json.dumps({"share_id": f"video.{post.id}", "publish_type": "DIRECT_PUBLISH"})
    body = {
        "client_key": "tiktok-client-1",
        "event": "video.publish.completed",
        "create_time": post.published,
        "user_openid": post.account.id,
        "content": content,
    }
    return PushedEvent(f"published {post.id}", post.published, body)


def youtube_feed(post: SimulatedPost) -> str:
    """Return the Atom feed that says: this video is new or has changed."""
    channel, at = post.account.id, datetime.fromtimestamp(post.published, UTC)
    time = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">
 <link rel="hub" href="https://pubsubhubbub.appspot.com"/>
 <link rel="self" href="https://www.youtube.com/xml/feeds/videos.xml?channel_id={channel}"/>
 <title>YouTube video feed</title>
 <updated>{time}.000000000+00:00</updated>
 <entry>
  <id>yt:video:{post.id}</id>
  <yt:videoId>{post.id}</yt:videoId>
  <yt:channelId>{channel}</yt:channelId>
  <title>{escape(post.text or "")}</title>
  <link rel="alternate" href="https://www.youtube.com/watch?v={post.id}"/>
  <author>
   <name>{escape(post.account.name)}</name>
   <uri>https://www.youtube.com/channel/{channel}</uri>
  </author>
  <published>{time}+00:00</published>
  <updated>{time}.000000000+00:00</updated>
 </entry>
</feed>
"""
