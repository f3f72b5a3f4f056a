"""Which changes are reported, and their messages, for constructed failures."""

from __future__ import annotations

from social_assets.alerts.active import ActiveAlert, FailureKind, Observation, Severity
from social_assets.alerts.changes import Changes, Told, changes_since
from social_assets.alerts.message import SHOWN, message

RUN = ActiveAlert(
    "run/drain_posts/posts",
    FailureKind.RUN,
    Severity.ERROR,
    "drain_posts failed",
    "team:content",
    run_id="r1",
)
CHECK = ActiveAlert(
    "check/cleaned/posts/keys",
    FailureKind.CHECK,
    Severity.WARN,
    "check keys of cleaned/posts failed",
    detail="3 of 10",
    asset="cleaned/posts",
    check="keys",
)
UI = "https://dagster.example.org/"


def told(failure: ActiveAlert) -> dict[str, Told]:
    return {failure.key: Told(failure.key, failure.severity, failure.title, failure.run_id, 0.0)}


def test_an_active_alert_is_told_once() -> None:
    observed = Observation((CHECK,))
    assert changes_since(observed, [CHECK], {}) == Changes((CHECK,), ())
    assert not changes_since(observed, [CHECK], told(CHECK))


def test_an_alert_that_got_worse_is_told_again_and_one_that_got_better_is_not() -> None:
    worse = ActiveAlert(CHECK.key, FailureKind.CHECK, Severity.ERROR, CHECK.title)
    assert changes_since(Observation((worse,)), [worse], told(CHECK)).raised == (worse,)
    assert not changes_since(Observation((CHECK,)), [CHECK], told(worse))


def test_what_no_longer_stands_has_recovered() -> None:
    (ended,) = changes_since(Observation(()), [], told(CHECK)).recovered
    assert ended.title == CHECK.title


def test_what_cannot_be_seen_has_not_recovered() -> None:
    assert not changes_since(Observation((), blind=("check/cleaned/",)), [], told(CHECK))


def test_a_failure_that_is_routed_elsewhere_now_has_not_recovered() -> None:
    assert not changes_since(Observation((CHECK,)), [], told(CHECK))


def test_one_failure_is_the_title_and_links_lead_to_run_and_check() -> None:
    words = message(Changes((CHECK,), ()), "production", UI, lambda run: "")
    assert words.title == "[social-assets production] WARN: check keys of cleaned/posts failed"
    assert "3 of 10" in words.body
    assert (
        "https://dagster.example.org/assets/cleaned/posts?view=checks&checkDetail=keys"
        in words.body
    )
    run = message(Changes((RUN,), ()), "production", UI, lambda run: f"why {run}")
    assert "https://dagster.example.org/runs/r1" in run.body
    assert "why r1" in run.body
    assert "owner: team:content" in run.body


def test_several_are_counted_in_the_title_and_grouped_by_kind() -> None:
    (ended,) = told(CHECK).values()
    words = message(Changes((CHECK, RUN), (ended, ended)), "staging", UI, lambda run: "")
    assert words.title == "[social-assets staging] 1 error, 1 warning, 2 recoveries"
    assert words.severity is Severity.ERROR
    runs, checks, recovered = (
        words.body.index(part) for part in ("Failed runs:", "Failed checks:", "Recovered:")
    )
    assert runs < checks < recovered


def test_a_storm_is_one_short_message_that_says_how_many_more() -> None:
    storm = tuple(
        ActiveAlert(f"run/{n}", FailureKind.RUN, Severity.ERROR, f"run {n} failed")
        for n in range(365)
    )
    words = message(Changes(storm, ()), "local", "", lambda run: "")
    assert words.body.count("ERROR") == SHOWN
    assert f"and {365 - SHOWN} more" in words.body


def test_the_errors_of_a_kind_come_before_its_warnings() -> None:
    warnings = [ActiveAlert(f"w{n}", FailureKind.CHECK, Severity.WARN, "w") for n in range(SHOWN)]
    grave = ActiveAlert("e", FailureKind.CHECK, Severity.ERROR, "grave")
    words = message(Changes((*warnings, grave), ()), "local", "", lambda run: "")
    assert "grave" in words.body


def test_a_recovery_has_no_severity() -> None:
    (ended,) = told(RUN).values()
    words = message(Changes((), (ended,)), "local", "", lambda run: "")
    assert (words.severity, words.title) == (
        None,
        "[social-assets local] recovered: drain_posts failed",
    )
