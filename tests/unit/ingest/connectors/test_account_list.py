"""Accounts as people name them: what is read, and what an error says about line and column."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from social_assets.control.accounts import Account
from social_assets.control.collection.schedule import PlanChange, Priority
from social_assets.ingest.connectors.account_list import (
    AccountListError,
    parse_account,
    parse_tracked,
    read_accounts,
)
from social_assets.ingest.connectors.errors import ConnectorDeclarationError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.csv"


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("instagram:natgeo", Account("Instagram", "natgeo")),
        (" X : @NASA ", Account("X", "NASA")),
        ("youtube:UC_x5XG1OV2P6uZZ5FSM9Ttw", Account("YouTube", "UC_x5XG1OV2P6uZZ5FSM9Ttw")),
        ("TikTok:007", Account("TikTok", "007")),
    ],
)
def test_an_account_is_named_by_platform_and_handle_or_id(text: str, account: Account) -> None:
    assert parse_account(text) == account


@pytest.mark.parametrize(
    "text",
    [
        "natgeo",
        "instagram:",
        "instagram:@",
        "instagram:nat geo",
        "instagram:https://www.instagram.com/natgeo/",
        "instagram:a){id}",
        f"instagram:{'a' * 201}",
    ],
)
def test_what_is_no_account_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"PLATFORM:ACCOUNT|empty|blanks or signs|more than 200"):
        parse_account(text)


def test_a_platform_without_a_connector_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(ConnectorDeclarationError, match="there are Facebook, Instagram, TikTok"):
        parse_account("myspace:tom")
    assert parse_tracked("myspace:@tom") == Account("myspace", "tom")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_says_a_plan_for_each_account_and_empty_fields_say_nothing(
    file: Path, delimiter: str
) -> None:
    lines = (
        "Platform,account,priority,every,refresh_at,time_zone",
        'instagram,"@natgeo",High,,,',
        "",
        "x,NASA,,5m,03:30,Europe/Berlin",
        "youtube,UCx",
    )
    text = "\r\n".join(lines).replace(",", delimiter)
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_accounts(file) == {
        Account("Instagram", "natgeo"): PlanChange(priority=Priority.HIGH),
        Account("X", "NASA"): PlanChange(None, timedelta(minutes=5), "03:30", "Europe/Berlin"),
        Account("YouTube", "UCx"): PlanChange(),
    }


def test_all_that_is_wrong_is_told_with_file_and_line(file: Path) -> None:
    file.write_text(
        "platform,account,priority,every,time_zone\n"
        "myspace,tom,,,\n"
        "x,,,,\n"
        "\n"
        "x,nasa,urgent,,\n"
        "x,nasa,,5 minutes,\n"
        "x,nasa,,1s,\n"
        "x,nasa,,,Europe/Atlantis\n"
        "x,nasa,,,\n"
        "X,@nasa,high,,\n"
    )
    with pytest.raises(AccountListError) as raised:
        read_accounts(file)
    told = str(raised.value).splitlines()
    expected = {
        2: "no connector for 'myspace'; there are",
        3: "the name of the account is empty",
        5: "'urgent' is no priority; there are high, standard, low",
        6: "'5 minutes' is no interval such as 90s, 5m or 6h",
        7: "an interval of 1 s is not between 10 s and a day",
        8: "'Europe/Atlantis' is no time zone",
        10: "X:nasa is in line 9 already",
    }
    assert len(told) == len(expected)
    for line, (number, said) in zip(told, expected.items(), strict=True):
        assert line.startswith(f"{file}:{number}: {said}")


def test_of_many_problems_ten_are_told(file: Path) -> None:
    file.write_text("platform,account\n" + "x,\n" * 25)
    with pytest.raises(AccountListError, match="and 15 more") as raised:
        read_accounts(file)
    assert len(str(raised.value).splitlines()) == 11


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has no account"),
        ("platform,account\n", "it has no account"),
        ("account\nnatgeo\n", ":1: there is no column 'platform'"),
        ("\nplatform,account,prio\nx,a,high\n", ":2: unknown is column 'prio'"),
        ("platform,account,account\nx,a,b\n", ":1: twice is column 'account'"),
        ("platform,account\nx,a,high\n", ":2: it has 3 fields, and there are 2 columns"),
        ('platform,account\nx,"a\nx,b\n', ":2: it is no CSV"),
        ("platform,account\nx,\xff\n", "it is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_list_of_accounts_is_refused(file: Path, text: str, said: str) -> None:
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(AccountListError, match=said):
        read_accounts(file)
