"""How an account is named, and when two names are the same account."""

from __future__ import annotations

import pytest

from social_assets.control.accounts import Account, AccountNameError


def test_an_id_keeps_its_leading_zeros_and_its_colons() -> None:
    assert Account.parse("ig:0042") == Account("Instagram", "0042")
    assert Account.parse("YouTube:UC:x") == Account("YouTube", "UC:x")


def test_the_case_of_a_platform_does_not_matter_and_that_of_an_id_does() -> None:
    account = Account.parse("youtube:UCx")
    assert account.is_same("YOUTUBE", "UCx")
    assert not account.is_same("YouTube", "ucx")
    assert not account.is_same("X", "UCx")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("natgeo", "is not PLATFORM:ID"),
        ("instgram:1", "did you mean Instagram?"),
        ("unknown:1", "'unknown' is no platform"),
        ("instagram:", "'' is no platform or account id"),
        ("instagram: 1", "blanks around it"),
        ("instagram:a\x00b", "cannot be printed"),
        ("instagram:" + "1" * 201, "more than 200 characters"),
    ],
)
def test_a_text_that_names_no_account_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(AccountNameError, match=said):
        Account.parse(text)
