"""Signatures, computed here by hand with the standard library's HMAC."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable

import pytest

from social_assets.ingest.webhooks.signatures import (
    REPLAY_SECONDS,
    check_meta,
    check_tiktok,
    check_websub,
    check_x,
)
from social_assets.ingest.webhooks.webhook import (
    Headers,
    SignatureMissingError,
    SignatureWrongError,
)

SECRET = b"made-up-secret"
BODY = b'{"text":"Caf\\u00e9"}'
NOW = 1_795_186_801.0
Check = Callable[[Headers, bytes, bytes, float], None]


def mac(body: bytes, method: str = "sha256") -> bytes:
    return hmac.new(SECRET, body, method).digest()


def tiktok(at: int, body: bytes = BODY) -> bytes:
    return f"t={at},s={mac(f'{at}.'.encode() + body).hex()}".encode()


SIGNED: dict[str, tuple[Check, bytes, bytes]] = {
    "meta": (check_meta, b"x-hub-signature-256", b"sha256=" + mac(BODY).hex().encode()),
    "x": (
        check_x,
        b"x-twitter-webhooks-signature",
        b"sha256=" + base64.b64encode(mac(BODY)),
    ),
    "websub": (check_websub, b"x-hub-signature", b"sha1=" + mac(BODY, "sha1").hex().encode()),
    "tiktok": (check_tiktok, b"tiktok-signature", tiktok(int(NOW))),
}
EACH = pytest.mark.parametrize(("check", "name", "value"), SIGNED.values(), ids=SIGNED)


@EACH
def test_a_right_signature_is_accepted(check: Check, name: bytes, value: bytes) -> None:
    check([(b"host", b"x"), (name, value)], BODY, SECRET, NOW)


@EACH
def test_one_changed_byte_of_the_body_is_refused(check: Check, name: bytes, value: bytes) -> None:
    with pytest.raises(SignatureWrongError):
        check([(name, value)], BODY + b" ", SECRET, NOW)


@EACH
def test_another_secret_is_refused(check: Check, name: bytes, value: bytes) -> None:
    with pytest.raises(SignatureWrongError):
        check([(name, value)], BODY, b"another", NOW)


@EACH
def test_no_signature_is_refused(check: Check, name: bytes, value: bytes) -> None:
    with pytest.raises(SignatureMissingError):
        check([(b"host", b"x")], BODY, SECRET, NOW)


@EACH
def test_two_signatures_are_refused(check: Check, name: bytes, value: bytes) -> None:
    with pytest.raises(SignatureMissingError):
        check([(name, value), (name, value)], BODY, SECRET, NOW)


@EACH
@pytest.mark.parametrize("garbage", [b"", b"sha256=", b"\xff\xfe", b"t=,s=", b"md5=00"])
def test_garbage_is_refused(check: Check, name: bytes, value: bytes, garbage: bytes) -> None:
    with pytest.raises((SignatureMissingError, SignatureWrongError)):
        check([(name, garbage)], BODY, SECRET, NOW)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_hub_may_sign_with_each_method_of_websub(method: str) -> None:
    value = f"{method}={mac(BODY, method).hex()}".encode()
    check_websub([(b"x-hub-signature", value)], BODY, SECRET, NOW)


@pytest.mark.parametrize("seconds", [-REPLAY_SECONDS - 1, REPLAY_SECONDS + 2])
def test_a_signature_from_another_time_is_refused(seconds: int) -> None:
    old = tiktok(int(NOW) + seconds)
    with pytest.raises(SignatureWrongError, match="seconds away"):
        check_tiktok([(b"tiktok-signature", old)], BODY, SECRET, NOW)


def test_the_time_of_a_signature_is_signed_too() -> None:
    old = tiktok(int(NOW) - 10_000)
    renewed = old.replace(b"t=%d" % (int(NOW) - 10_000), b"t=%d" % int(NOW))
    with pytest.raises(SignatureWrongError, match="not that of this body"):
        check_tiktok([(b"tiktok-signature", renewed)], BODY, SECRET, NOW)
