"""The type of a picture by its bytes, and whether its end is there.

Belongs here: formats. What a server or a name says of the type is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

EXTENSIONS: Mapping[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/heic": "heic",
    "video/mp4": "mp4",
}
"""The types that are kept, and how their files end."""

_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_MP4 = {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V "}
_TAIL = 64 << 10
"""Some programs write a little behind the end of a picture."""


def media_type_of(body: bytes) -> str | None:
    """The type of a body; None for what is no picture that is kept."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return "image/webp"
    return _type_of_boxes(body) if body[4:8] == b"ftyp" else None


def is_whole(body: bytes, media_type: str) -> bool:
    """Whether the body has the end that its format demands."""
    match media_type:
        case "image/jpeg":
            return b"\xff\xd9" in body[-_TAIL:]
        case "image/png":
            return b"IEND\xaeB`\x82" in body[-_TAIL:]
        case "image/gif":
            return b"\x3b" in body[-16:]
        case "image/webp":
            return len(body) >= int.from_bytes(body[4:8], "little") + 8
    return _has_whole_boxes(body)


def _type_of_boxes(body: bytes) -> str | None:
    """The type that the brands of an ISO file name, the major one first."""
    size = min(int.from_bytes(body[:4], "big"), 512)
    brands = [body[8:12], *(body[at : at + 4] for at in range(16, size, 4))]
    for known, media_type in ((_AVIF, "image/avif"), (_HEIC, "image/heic"), (_MP4, "video/mp4")):
        if brands[0] in known:
            return media_type
    for known, media_type in ((_AVIF, "image/avif"), (_HEIC, "image/heic"), (_MP4, "video/mp4")):
        if known.intersection(brands):
            return media_type
    return None


def _has_whole_boxes(body: bytes) -> bool:
    """Whether the boxes of an ISO file follow each other up to the end of the body."""
    at = 0
    while at + 8 <= len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        if size == 0:
            return True
        if size == 1:
            size = int.from_bytes(body[at + 8 : at + 16], "big")
        if size < 8:
            return False
        at += size
    return at == len(body)
