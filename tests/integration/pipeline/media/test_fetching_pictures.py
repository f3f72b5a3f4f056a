"""Pictures of posts are fetched once, under the hash of their content, with a row that says so."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from social_assets.demo.platforms.pictures.draw import png
from social_assets.pipeline.media.fetch_media import RETRY_AFTER
from tests.integration.pipeline.media.conftest import MediaHome


def test_a_picture_is_stored_by_its_hash_and_its_row_joins_to_the_post(media: MediaHome) -> None:
    media.posts("/pictures/facebook/a.png?sig=1")
    found = media.fetch()
    assert found.states == {"fetched": 1}
    body = png("facebook/a.png")
    sha256 = hashlib.sha256(body).hexdigest()
    assert media.stored() == {sha256: len(body)}
    assert media.files.read("kept", f"{sha256}.png") == body
    joined = media.rows(
        "SELECT content, media.state, media.sha256, media.media_type, media.size_bytes\n"
        "FROM cleaned.posts_collected AS posts\n"
        "JOIN cleaned.post_media AS media USING (platform, post_id)"
    )
    assert joined == [("text 0", "fetched", sha256, "image/png", len(body))]


def test_two_posts_with_one_picture_have_one_file_and_a_row_each(media: MediaHome) -> None:
    media.posts("/pictures/facebook/a.png", "/pictures/facebook/a.png?other=signature")
    assert media.fetch().states == {"fetched": 2}
    assert len(media.kept()) == 2
    assert len(media.stored()) == 1


def test_a_picture_whose_address_has_a_new_signature_is_not_fetched_again(
    media: MediaHome,
) -> None:
    media.posts("/pictures/facebook/a.png?sig=1")
    media.fetch()
    media.posts("/pictures/facebook/a.png?sig=2", id="0_0", message="edited")
    assert not media.fetch().states
    assert media.asked() == {"facebook/a.png": 1}


def test_an_edited_post_with_another_picture_has_both(media: MediaHome) -> None:
    media.posts("/pictures/facebook/a.png")
    media.fetch()
    media.posts("/pictures/facebook/b.png", id="0_0", message="edited")
    media.fetch()
    assert [post for post, _, _ in media.kept()] == ["0_0", "0_0"]
    assert len(media.stored()) == 2


def test_each_fault_has_its_reason_and_stores_nothing(media: MediaHome) -> None:
    faults = {
        "cut": ("failed", "connection_failed"),
        "error": ("failed", "http_error"),
        "truncated": ("failed", "truncated"),
        "not_there": ("refused", "not_there"),
        "endless": ("refused", "too_large"),
        "too_large": ("refused", "too_large"),
        "html": ("refused", "not_a_picture"),
        "svg": ("refused", "not_a_picture"),
        "to_private": ("refused", "address_refused"),
        "to_file": ("refused", "address_refused"),
        "in_circle": ("refused", "too_many_redirects"),
    }
    media.posts(*(f"/pictures/faulty/{each}/p.png" for each in faults))
    media.fetch()
    assert media.states() == {
        f"/pictures/faulty/{each}/p.png": expected for each, expected in faults.items()
    }
    assert media.stored() == {}


def test_a_picture_without_an_end_keeps_no_other_one_from_being_served(media: MediaHome) -> None:
    media.posts("/pictures/faulty/endless/p.png")
    media.fetch()
    media.posts("/pictures/facebook/a.png")
    assert media.fetch().states == {"fetched": 1}


def test_a_picture_that_takes_longer_than_the_limit_is_too_slow(media: MediaHome) -> None:
    picture = "/pictures/faulty/slow/p.png"
    media.posts(picture)
    media.fetch(seconds=2.0)
    assert media.states() == {picture: ("failed", "too_slow")}
    assert media.stored() == {}


def test_the_type_is_that_of_the_bytes_and_redirects_are_followed(media: MediaHome) -> None:
    media.posts("/pictures/faulty/wrong_label/p.png", "/pictures/faulty/redirect/q.png")
    assert media.fetch().states == {"fetched": 2}
    assert set(media.rows("SELECT media_type FROM cleaned.post_media")) == {("image/png",)}


def test_an_address_that_leads_into_this_network_is_never_asked(media: MediaHome) -> None:
    """The second one is another port of the server's machine, and no name is needed for it."""
    port = int(media.url.rpartition(":")[2])
    media.posts(
        "http://169.254.169.254/latest/meta-data/a",
        "http://127.0.0.1:8123/?query=b",
        f"http://localhost:{port}/pictures/c.png",
        f"http://user:password@127.0.0.1:{port}/pictures/d.png",
        f"http://[::ffff:127.0.0.1]:{port}/pictures/e.png",
        "http://2130706433/f",
        "file:///etc/passwd",
        "ftp://example.org/g.png",
        "data:image/png;base64,AAAA",
        "no address",
    )
    media.fetch()
    found = media.states()
    assert len(found) == 10
    assert set(found.values()) == {("refused", "address_refused")}
    assert media.asked() == {}


def test_a_failed_picture_is_tried_again_later_each_time_and_then_given_up(
    media: MediaHome,
) -> None:
    picture = "/pictures/faulty/error/p.png"
    media.posts(picture)
    for number, wait in enumerate(RETRY_AFTER, 1):
        assert media.fetch().states == {"failed": 1}
        assert media.asked() == {"faulty/error/p.png": number}
        media.at += wait - timedelta(seconds=1)
        assert not media.fetch().states, "it is not due yet"
        media.at += timedelta(seconds=1)
    assert media.fetch().states == {"given_up": 1}
    media.at += timedelta(days=30)
    assert not media.fetch().states
    assert media.states() == {picture: ("given_up", "http_error")}


def test_a_post_without_a_picture_and_one_that_is_too_old_are_left_alone(media: MediaHome) -> None:
    media.posts("/pictures/facebook/old.png", created_time="2020-01-01T00:00:00Z")
    media.posts("/pictures/facebook/none.png", full_picture=None)
    assert not media.fetch().states


def test_more_pictures_than_a_batch_are_all_fetched(media: MediaHome) -> None:
    media.posts(*(f"/pictures/facebook/{n}.png" for n in range(450)))
    assert media.fetch().states == {"fetched": 450}
    assert len(media.stored()) == 450
