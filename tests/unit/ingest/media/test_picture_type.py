"""A picture's type is that of its bytes, and a part of a picture is not whole."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from social_assets.demo.platforms.pictures.draw import png
from social_assets.ingest.media.picture_type import EXTENSIONS, is_whole, media_type_of

FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
}


def picture(kind: str) -> bytes:
    body = io.BytesIO()
    image = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
    image.save(body, kind)
    return body.getvalue()


def boxes(*brands: bytes) -> bytes:
    kind = b"".join([brands[0], b"\0\0\0\0", *brands[1:]])
    head = (len(kind) + 8).to_bytes(4, "big") + b"ftyp" + kind
    return head + (16).to_bytes(4, "big") + b"mdat" + bytes(8)


@pytest.mark.parametrize(("kind", "media_type"), FORMATS.items())
def test_pictures_that_programs_write_are_known_and_whole(kind: str, media_type: str) -> None:
    body = picture(kind)
    assert media_type_of(body) == media_type
    assert is_whole(body, media_type)
    assert media_type in EXTENSIONS


@pytest.mark.parametrize(("kind", "media_type"), FORMATS.items())
def test_a_picture_without_its_last_part_is_not_whole(kind: str, media_type: str) -> None:
    body = picture(kind)
    assert not is_whole(body[: len(body) * 3 // 4], media_type)


@pytest.mark.parametrize(
    ("brands", "media_type"),
    [
        ((b"heic", b"mif1"), "image/heic"),
        ((b"mif1", b"heic"), "image/heic"),
        ((b"mp42", b"isom"), "video/mp4"),
        ((b"isom", b"iso2", b"avc1"), "video/mp4"),
        ((b"unkn", b"mp41"), "video/mp4"),
        ((b"qt  ", b"none"), None),
    ],
)
def test_the_brands_of_an_iso_file_say_what_it_is(
    brands: tuple[bytes, ...], media_type: str | None
) -> None:
    body = boxes(*brands)
    assert media_type_of(body) == media_type
    assert is_whole(body, "video/mp4")
    assert not is_whole(body[:-3], "video/mp4")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><html>",
        b'<?xml version="1.0"?><svg/>',
        b"<svg/>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"#!/bin/sh\n",
        b"RIFF\0\0\0\0WAVE",
    ],
)
def test_other_bytes_are_no_picture(body: bytes) -> None:
    assert media_type_of(body) is None


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(body: bytes) -> None:
    media_type = media_type_of(body)
    assert media_type is None or is_whole(body, media_type) in (True, False)


def test_pictures_of_the_platform_server_can_be_opened() -> None:
    image = Image.open(io.BytesIO(png("a")))
    image.load()
    assert image.size == (24, 24)
    assert png("a") == png("a") != png("b")
