"""Mutations of the features of users: sessions, interest, and their checks."""

from __future__ import annotations

from tests.mutation.case import Case

_TESTS = "tests/integration/warehouse/features"
_SESSIONS = f"{_TESTS}/test_sessions.py::test_"
_CHECKS = f"{_TESTS}/test_feature_checks.py::test_"
_INTEREST = f"{_TESTS}/test_interest_and_streaks.py::test_"
_REBUILT = f"{_TESTS}/test_rebuilt_features.py::test_"
_SELECT = "dbt/macros/features/sessions_select.sql"


def _cases(*taken_away: tuple[str, str, str, str, str]) -> list[Case]:
    return [
        Case("18.3 sessions", what, file, old, new, test)
        for what, file, old, new, test in taken_away
    ]


_UNUSUAL = "dbt/models/features/tables/unusual_sessions.sql"
_COORDINATED = "dbt/models/features/tables/coordinated_texts.sql"
_BOTS = f"{_TESTS}/test_unusual_sessions.py::test_"
_PLANTED_BOTS = f"{_BOTS}all_planted_bots_are_found_among_people_and_nobody_else_is"
_RINGS = f"{_TESTS}/test_coordinated_texts.py::test_"

CASES = _cases(
    (
        "bursts of users are not found",
        _UNUSUAL,
        "where is_burst or is_too_fast or is_regular",
        "where is_too_fast or is_regular",
        _PLANTED_BOTS,
    ),
    (
        "people with some spread of pauses are robots",
        "social_assets/warehouse/dbt/behaviour_limits.py",
        "SessionLimits(10, 20, 6, 0.1, 1)",
        "SessionLimits(10, 20, 6, 1.1, 1)",
        _PLANTED_BOTS,
    ),
    (
        "one author is a ring",
        _COORDINATED,
        "uniqExact(author) as authors",
        "count(author) as authors",
        f"{_RINGS}one_author_who_repeats_a_text_is_no_ring",
    ),
    (
        "parameters of links make other links",
        _COORDINATED,
        "https?://([^\\\\s?#]+)",
        "https?://([^\\\\s]+)",
        f"{_RINGS}planted_rings_are_found_among_people_and_nothing_else_is",
    ),
    (
        "activity through whole days is one session",
        _SELECT,
        "is_after_pause or (is_first_of_day and day_of_pause < event_date - 1) as is_begin",
        "is_after_pause as is_begin",
        f"{_SESSIONS}activity_through_a_whole_day_ends_with_that_day",
    ),
    (
        "a pause of exactly thirty minutes ends a session",
        _SELECT,
        "or event_time > time_before + interval",
        "or event_time >= time_before + interval",
        f"{_SESSIONS}a_pause_of_exactly_thirty_minutes_ends_no_session_and_a_longer_one_does",
    ),
    (
        "a run leaves the sessions of the day before as they are",
        "dbt/macros/warehouse/daily_partitions.sql",
        "timedelta(days=number_of('days_after'))",
        "timedelta(days=0)",
        f"{_SESSIONS}a_late_event_rebuilds_the_sessions_of_the_days_around",
    ),
    (
        "a run leaves the sessions of the days after as they are",
        "dbt/macros/warehouse/daily_partitions.sql",
        "timedelta(days=number_of('days_before'))",
        "timedelta(days=0)",
        f"{_SESSIONS}a_late_event_that_fills_a_day_changes_sessions_two_days_later",
    ),
    (
        "audiences have sessions",
        "dbt/macros/features/user_events_select.sql",
        "{{ only }} and {{ is_known_user() }} {{ condition }}",
        "{{ only }} {{ condition }}",
        f"{_SESSIONS}audiences_and_records_without_a_time_are_in_no_session",
    ),
    (
        "interest never gets old",
        "dbt/models/features/views/user_tag_affinity.sql",
        ") / exp2(half_lives) as affinity",
        ") / exp2(0) as affinity",
        f"{_INTEREST}interest_halves_with_each_half_life",
    ),
    (
        "a streak goes on after a day without events",
        "dbt/models/features/views/user_streaks.sql",
        "partition by platform_key, user_key, streak",
        "partition by platform_key, user_key",
        f"{_INTEREST}days_in_a_row_end_with_a_day_without_events",
    ),
    (
        "lost rows of features are not found",
        "social_assets/quality/features/sums.py",
        "        if not _are_equal(ours.get(day, ()), theirs.get(day, ()))\n",
        "        if False\n",
        f"{_CHECKS}a_lost_day_is_found_and_named",
    ),
    (
        "a session that begins as another one ends is none that overlaps",
        "social_assets/quality/features/wrong_sessions.py",
        "coalesce(event_time <= lagInFrame",
        "coalesce(event_time < lagInFrame",
        f"{_CHECKS}sessions_that_overlap_are_found",
    ),
    (
        "a session may last for ever",
        "social_assets/quality/features/wrong_sessions.py",
        "OR ended_at >= toDateTime64",
        "OR false AND ended_at >= toDateTime64",
        f"{_CHECKS}a_session_that_lasts_too_long_is_found",
    ),
    (
        "what finishes pending days leaves features out",
        "social_assets/defs/warehouse/recovery.py",
        "for layer in BUILT for table in",
        "for layer in BUILT[:2] for table in",
        f"{_REBUILT}what_finishes_pending_days_builds_features",
    ),
)

_TRAINING = "tests/integration/features/test_training_set.py::test_"
_ONLINE = "tests/integration/features/test_online_store.py::test_"
_ASSETS = "tests/integration/features/test_features_assets.py::test_"
_FORGETTING = "tests/integration/features/test_forgetting_features.py::test_"
_HISTORY = "social_assets/features/history.py"

CASES += [
    Case("18.4 features", what, file, old, new, test)
    for what, file, old, new, test in (
        (
            "a day is known at its begin",
            _HISTORY,
            "    known_after_days: int = 1",
            "    known_after_days: int = 0",
            f"{_TRAINING}a_day_counts_from_its_end_and_leaves_the_window_after_seven_days",
        ),
        (
            "an event is known at its own time",
            _HISTORY,
            "event_time + toIntervalMicrosecond(1)",
            "event_time + toIntervalMicrosecond(0)",
            f"{_TRAINING}an_event_is_known_right_after_it_and_not_at_its_own_time",
        ),
        (
            "a day never leaves the window",
            _HISTORY,
            "later = {days}, -{name}, 0",
            "later = {days}, 0, 0",
            f"{_TRAINING}a_day_counts_from_its_end_and_leaves_the_window_after_seven_days",
        ),
        (
            "sessions are known before they have ended",
            "social_assets/features/declared/user_sessions.py",
            "known_after_days=2",
            "known_after_days=1",
            f"{_TRAINING}sessions_are_known_when_no_event_can_change_them",
        ),
        (
            "a pass passes over new blocks",
            "social_assets/features/online/changed.py",
            "elif known.last_block != state.last_block:",
            "elif False:",
            f"{_ONLINE}a_pass_takes_only_those_who_have_changed",
        ),
        (
            "a pass passes over days that end",
            _HISTORY,
            'return f"event_date IN ({listed})" if days else ""',
            'return ""',
            f"{_ONLINE}an_event_is_known_by_the_next_pass_and_its_day_at_its_end",
        ),
        (
            "features wait until a stream pauses",
            "social_assets/defs/automation.py",
            "    _CHANGED_OR_DAY_HAS_ENDED.with_label(",
            "    (_CHANGED_OR_DAY_HAS_ENDED & ~_SOURCE_CHANGED).with_label(",
            "tests/e2e/graph/test_automation.py::"
            "test_features_follow_facts_at_once_also_of_a_stream_that_never_pauses",
        ),
        (
            "rows that a replaced day has lost stay online",
            "social_assets/features/online/materialize.py",
            "return rows, [each for each in known if tuple(each) not in present]",
            "return rows, []",
            f"{_ONLINE}somebody_whose_rows_are_gone_from_a_replaced_day_is_gone",
        ),
        (
            "the watermark of a pass that was killed counts",
            "social_assets/features/online/sqlite_store.py",
            'connection.execute("ROLLBACK")',
            'connection.execute("COMMIT")',
            f"{_ONLINE}a_write_that_fails_leaves_rows_and_watermark_as_they_were",
        ),
        (
            "the check of leakage compares no sums",
            "social_assets/quality/features/leaking_features.py",
            "return not (self.newer or self.exceeding)",
            "return not self.newer",
            f"{_ASSETS}leakage_that_is_planted_in_the_history_fails_the_check",
        ),
        (
            "the check of parity compares no values",
            "social_assets/quality/features/online_rows.py",
            "return not (self.differing or self.missing)",
            "return not self.missing",
            f"{_ASSETS}a_difference_that_is_planted_in_the_online_store_fails_the_check",
        ),
        (
            "a person who is forgotten stays online",
            "social_assets/defs/privacy/other_places.py",
            "deleted = store.forget(USER, users)",
            "deleted = 0",
            f"{_FORGETTING}a_forgotten_person_leaves_the_online_store",
        ),
        (
            "a key of some accounts reads features of users",
            "social_assets/serving/features/api.py",
            'if entity == "user":',
            'if entity == "nobody":',
            "tests/integration/serving/features/test_features_api.py::"
            "test_a_key_of_one_account_sees_its_account_and_its_posts_alone",
        ),
    )
]

_EVALUATED = "tests/unit/predictions/test_evaluation.py::test_"
CASES += [
    Case("18.8 predictions", *taken_away)
    for taken_away in (
        (
            "models are evaluated by people whom they know",
            "social_assets/predictions/evaluation.py",
            "folds.split(rows.inputs, groups=rows.users)",
            "folds.split(rows.inputs, groups=np.arange(len(rows)))",
            f"{_EVALUATED}behaviour_that_tells_nothing_gives_no_champion_though_each_person_has_one_rating",
        ),
        (
            "rows of one person count as people",
            "social_assets/predictions/evaluation.py",
            "numbers = np.unique(users, return_inverse=True)[1]",
            "numbers = np.arange(len(users))",
            f"{_EVALUATED}the_interval_counts_people_and_not_rows",
        ),
        (
            "groups of few people are shown",
            "social_assets/predictions/evaluation.py",
            "if users >= FEWEST_OF_GROUP:",
            "if users >= 0:",
            f"{_EVALUATED}groups_are_compared_and_those_of_few_people_are_left_out",
        ),
        (
            "the check of groups warns of none",
            "social_assets/defs/predictions/addiction_level.py",
            "passed=not wrong,",
            "passed=True,",
            "tests/integration/warehouse/predictions/test_asset_of_predictions.py::test_"
            "a_champion_is_found_and_groups_that_are_predicted_wrong_are_told",
        ),
    )
]
