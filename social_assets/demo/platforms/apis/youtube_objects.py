"""Resources as YouTube writes them.

Belongs here: parts and their fields. Counts are strings of digits and missing if hidden; those of a
comment are numbers. Paths, pages and errors belong to `youtube`.
"""

from __future__ import annotations

from collections.abc import Sequence

from social_assets.demo.platforms.apis.answers import ApiCall, JsonObject, digits
from social_assets.demo.platforms.world.accounts import SimulatedAccount
from social_assets.demo.platforms.world.clock import zulu
from social_assets.demo.platforms.world.comments import SimulatedComment
from social_assets.demo.platforms.world.posts import SimulatedPost
from social_assets.demo.platforms.world.truth import rounded
from social_assets.demo.platforms.world.world import SimulatedWorld

_MOST_INLINED = 5
_SIZES = {"default": (120, 90), "medium": (320, 180), "high": (480, 360)}


def uploads_of(account: SimulatedAccount) -> str:
    """Return the id of the playlist of a channel's videos."""
    return "UU" + account.id[2:]


def channel_object(
    world: SimulatedWorld, account: SimulatedAccount, parts: frozenset[str], now: float
) -> JsonObject:
    """Return a channel with the parts asked for."""
    posts = world.posts(account, now)
    whole: JsonObject = {
        "snippet": {
            "title": account.name,
            "description": account.about,
            "customUrl": f"@{account.username}",
            "publishedAt": zulu(account.created),
            "thumbnails": _thumbnails(account.id),
            "localized": {"title": account.name, "description": account.about},
            "country": account.country,
        },
        "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": uploads_of(account)}},
    }
    if "statistics" in parts:
        views = sum(world.counters(post, now).views for post in posts)
        hidden = account.hides_followers
        subscribers = {} if hidden else {"subscriberCount": str(rounded(account.followers(now)))}
        whole["statistics"] = {
            "viewCount": str(views),
            **subscribers,
            "hiddenSubscriberCount": hidden,
            "videoCount": str(len(posts)),
        }
    return _resource("channel", account.id, whole, parts)


def video_object(
    world: SimulatedWorld, post: SimulatedPost, parts: frozenset[str], call: ApiCall
) -> JsonObject:
    """Return a video with the parts asked for."""
    counters = world.counters(post, call.now)
    statistics = {"viewCount": str(counters.views)}
    if not post.is_hiding_likes:
        statistics["likeCount"] = str(counters.likes)
    statistics["favoriteCount"] = "0"
    if not post.has_comments_off:
        statistics["commentCount"] = str(world.count_comments(post, call.now))
    whole = {
        "snippet": {
            "publishedAt": zulu(post.published),
            "channelId": post.account.id,
            "title": post.text or "",
            "description": "",
            "thumbnails": _thumbnails(post.id, call.picture(post.id)),
            "channelTitle": post.account.name,
            "tags": [post.account.username],
            "categoryId": "22",
            "liveBroadcastContent": "none",
            "defaultLanguage": "en",
            "localized": {"title": post.text or "", "description": ""},
        },
        "contentDetails": {
            "duration": f"PT{1 + post.ordinal % 9}M{post.ordinal % 60}S",
            "dimension": "2d",
            "definition": "hd",
            "caption": "false",
            "licensedContent": False,
            "contentRating": {},
            "projection": "rectangular",
        },
        "statistics": statistics,
    }
    return _resource("video", post.id, whole, parts)


def playlist_item(post: SimulatedPost, place: int, parts: frozenset[str]) -> JsonObject:
    """Return an entry of a channel's uploads with the parts asked for."""
    account = post.account
    whole = {
        "snippet": {
            "publishedAt": zulu(post.published),
            "channelId": account.id,
            "title": post.text or "",
            "description": "",
            "thumbnails": _thumbnails(post.id),
            "channelTitle": account.name,
            "playlistId": uploads_of(account),
            "position": place,
            "resourceId": {"kind": "youtube#video", "videoId": post.id},
            "videoOwnerChannelTitle": account.name,
            "videoOwnerChannelId": account.id,
        },
        "contentDetails": {"videoId": post.id, "videoPublishedAt": zulu(post.published)},
    }
    return _resource("playlistItem", f"VVU{post.id}", whole, parts)


def search_result(post: SimulatedPost) -> JsonObject:
    """Return a video that a search has found."""
    return {
        "kind": "youtube#searchResult",
        "etag": digits(post.id),
        "id": {"kind": "youtube#video", "videoId": post.id},
        "snippet": {
            "publishedAt": zulu(post.published),
            "channelId": post.account.id,
            "title": post.text or "",
            "description": "",
            "thumbnails": _thumbnails(post.id),
            "channelTitle": post.account.name,
            "liveBroadcastContent": "none",
            "publishTime": zulu(post.published),
        },
    }


def thread_object(
    top: SimulatedComment, replies: Sequence[SimulatedComment], parts: frozenset[str], now: float
) -> JsonObject:
    """Return a comment with at most five of its replies."""
    whole: JsonObject = {
        "snippet": {
            "channelId": top.post.account.id,
            "videoId": top.post.id,
            "topLevelComment": comment_object(top, now),
            "canReply": True,
            "totalReplyCount": len(replies),
            "isPublic": True,
        }
    }
    if replies:
        inlined = replies[-_MOST_INLINED:]
        whole["replies"] = {"comments": [comment_object(each, now) for each in inlined]}
    return _resource("commentThread", top.id, whole, parts)


def comment_object(comment: SimulatedComment, now: float) -> JsonObject:
    """Return a comment or a reply."""
    snippet: JsonObject = {
        "channelId": comment.post.account.id,
        "videoId": comment.post.id,
        "textDisplay": comment.text,
        "textOriginal": comment.text,
        "authorDisplayName": f"@{comment.author}",
        "authorProfileImageUrl": "https://example.invalid/a.jpg",
        "authorChannelUrl": f"http://www.youtube.com/@{comment.author}",
        "authorChannelId": {"value": comment.author_id},
        "canRate": True,
        "viewerRating": "none",
        "likeCount": comment.likes_at(now),
        "publishedAt": zulu(comment.published),
        "updatedAt": zulu(comment.published),
    }
    if comment.parent:
        snippet["parentId"] = comment.parent
    etag = digits(comment.id)
    return {"kind": "youtube#comment", "etag": etag, "id": comment.id, "snippet": snippet}


def _resource(kind: str, of: str, whole: JsonObject, parts: frozenset[str]) -> JsonObject:
    given = {name: value for name, value in whole.items() if name in parts}
    return {"kind": f"youtube#{kind}", "etag": digits(kind + of), "id": of} | given


def _thumbnails(of: str, address: str | None = None) -> JsonObject:
    return {
        name: {
            "url": address or f"https://example.invalid/{of}/{name}.jpg",
            "width": width,
            "height": height,
        }
        for name, (width, height) in _SIZES.items()
    }
