"""Recipients: the variables of the environment, and the channels of a failure."""

from __future__ import annotations

import pytest

from social_assets.alerts.active import ActiveAlert, FailureKind, Severity
from social_assets.alerts.channels import URLS, AlertUrlError, Routing

ALL, TEAM, PAGER, WARNED = "json://all", "slack://team", "pagerduty://pager", "json://warned"


def failure(owner: str = "", severity: Severity = Severity.ERROR) -> ActiveAlert:
    return ActiveAlert("check/x", FailureKind.CHECK, severity, "x failed", owner)


def told(environment: dict[str, str], about: ActiveAlert) -> set[str]:
    """The URLs that receive a failure."""
    routing = Routing.from_environment(environment)
    urls = {channel.id: channel.url for channel in routing.channels}
    return {urls[each] for each in routing.of(about)}


def test_one_url_takes_everything() -> None:
    assert told({URLS: ALL}, failure()) == {ALL}
    assert told({URLS: ALL}, failure("team:engagement", Severity.WARN)) == {ALL}


def test_an_owner_with_a_channel_of_its_own_leaves_the_common_one() -> None:
    environment = {URLS: ALL, f"{URLS}__TEAM_ENGAGEMENT": TEAM}
    assert told(environment, failure("team:engagement")) == {TEAM}
    assert told(environment, failure("team:video")) == {ALL}


def test_errors_reach_the_pager_in_addition() -> None:
    environment = {URLS: ALL, f"{URLS}__TEAM_ENGAGEMENT": TEAM, f"{URLS}__ERROR": PAGER}
    assert told(environment, failure("team:engagement")) == {TEAM, PAGER}
    assert told(environment, failure("team:engagement", Severity.WARN)) == {TEAM}
    assert told(environment, failure()) == {ALL, PAGER}


def test_an_owner_may_take_its_errors_alone() -> None:
    environment = {URLS: ALL, f"{URLS}__ANA_EXAMPLE_ORG__ERROR": TEAM}
    assert told(environment, failure("ana@example.org")) == {TEAM}
    assert told(environment, failure("ana@example.org", Severity.WARN)) == {ALL}


def test_without_a_common_channel_each_severity_goes_its_way() -> None:
    environment = {f"{URLS}__ERROR": PAGER, f"{URLS}__WARN": WARNED}
    assert told(environment, failure()) == {PAGER}
    assert told(environment, failure(severity=Severity.WARN)) == {WARNED}


def test_a_url_named_twice_is_one_channel() -> None:
    assert len(Routing.from_environment({URLS: ALL, f"{URLS}__ERROR": ALL}).channels) == 1


def test_urls_are_separated_by_blanks_lines_or_commas() -> None:
    routing = Routing.from_environment({URLS: f"{ALL} {TEAM}\n{PAGER},{WARNED}"})
    assert [channel.url for channel in routing.channels] == [ALL, TEAM, PAGER, WARNED]


def test_a_comma_inside_of_a_url_belongs_to_it() -> None:
    mail = "mailtos://user:pass@example.org?to=a@example.org,b@example.org"
    assert [c.url for c in Routing.from_environment({URLS: mail}).channels] == [mail]


def test_an_empty_variable_is_as_if_it_were_not_set() -> None:
    assert told({URLS: ALL, f"{URLS}__TEAM_ENGAGEMENT": " "}, failure("team:engagement")) == {ALL}


def test_the_name_and_the_text_of_a_channel_hold_no_secret() -> None:
    (channel,) = Routing.from_environment({URLS: "slack://T0000/B0000/hunter2secret"}).channels
    assert channel.name == f"slack of {URLS}"
    assert "hunter2secret" not in repr(channel)


def test_what_is_no_url_is_named_by_its_variable_and_not_shown() -> None:
    with pytest.raises(AlertUrlError, match=f"{URLS}__ERROR holds") as error:
        Routing.from_environment({f"{URLS}__ERROR": "hunter2secret"})
    assert "hunter2secret" not in str(error.value)
