"""Mutations of what the API and the reports promise: access, exact answers, one delivery."""

from __future__ import annotations

from tests.mutation.case import Case

_KEYS = "tests/integration/control/test_api_keys.py::test_"
_CALLERS = "tests/integration/serving/test_callers.py::test_"
_SCOPES = "tests/integration/serving/test_scopes.py::test_"
_CACHED = "tests/integration/serving/test_cached_answers.py::test_"
_REPORTS = "tests/integration/control/test_report_schedules.py::test_"
_COVER = "tests/unit/metrics/planner/test_cover.py::test_"
_TOGETHER = "tests/integration/metrics/test_questions_together.py::test_"
_ANSWERS = "tests/integration/metrics/test_answers.py::test_"


def _cases(*taken_away: tuple[str, str, str, str, str]) -> list[Case]:
    return [
        Case("6.1 serving", what, file, old, new, test) for what, file, old, new, test in taken_away
    ]


ACCESS = _cases(
    (
        "a key is valid with any secret",
        "social_assets/control/api_keys.py",
        "if row is None or not is_right:",
        "if row is None:",
        f"{_KEYS}a_key_that_is_wrong_anywhere_is_no_key",
    ),
    (
        "a revoked key is valid",
        "social_assets/control/api_keys.py",
        'if key.state(at) != "active":',
        'if key.state(at) == "expired":',
        f"{_KEYS}a_revoked_key_ends_at_once_and_keeps_its_first_end",
    ),
    (
        "an expired key is valid",
        "social_assets/control/api_keys.py",
        'if key.state(at) != "active":',
        'if key.state(at) == "revoked":',
        f"{_KEYS}a_key_ends_when_it_expires",
    ),
    (
        "a request without a key is answered",
        "social_assets/serving/gate.py",
        "if caller is None and request.path not in _OPEN_PATHS:",
        'if caller is None and request.path == "/":',
        f"{_CALLERS}nothing_is_answered_without_a_valid_key",
    ),
    (
        "a page of another site asks with the cookie",
        "social_assets/serving/gate.py",
        "if foreign is not None:",
        'if foreign == "":',
        f"{_CALLERS}a_page_of_another_site_is_refused_and_no_origin_is_allowed",
    ),
    (
        "the API is asked by a host name that was rebound",
        "social_assets/serving/gate.py",
        "        if problem is not None:\n            raise ProblemError(\n                403,",
        '        if problem == "":\n            raise ProblemError(\n                403,',
        f"{_CALLERS}a_name_that_was_rebound_to_this_machine_is_refused",
    ),
    (
        "a key asks as often as it likes",
        "social_assets/serving/rate_limit.py",
        "        bucket.left -= 1\n",
        "",
        "tests/unit/serving/test_rate_limit.py"
        "::test_requests_come_back_with_time_and_each_key_has_its_own",
    ),
    (
        "a key sees the same id of another platform",
        "social_assets/serving/api/request/scope.py",
        "    return replace(question, accounts=tuple(pairs))\n",
        "    every = ('Instagram', 'Facebook', 'TikTok', 'YouTube', 'X')\n"
        "    return replace(question, accounts=tuple((p, a) for p in every for _, a in pairs))\n",
        f"{_SCOPES}an_id_of_one_platform_is_not_the_same_id_of_another",
    ),
    (
        "the cache gives one caller's answer to another",
        "social_assets/serving/caching/cached_answers.py",
        "            found = f\"{caller.scope}|{scope['path']}?{sorted_query}\"\n",
        "            found = f\"{scope['path']}?{sorted_query}\"\n",
        f"{_SCOPES}no_key_is_given_the_cached_answer_of_another_scope",
    ),
    (
        "a cursor that was changed is read",
        "social_assets/serving/api/request/cursor.py",
        "if not hmac.compare_digest(signature, self._signature(text)):",
        "if not text:",
        "tests/integration/serving/test_posts_and_accounts.py::test_a_cursor_that_was_changed_is_refused",
    ),
)
NUMBERS = _cases(
    (
        "the rows at the edges of a range are left out",
        "social_assets/metrics/planner/cover.py",
        "    return [*_one(begin, first, finer), (top, first, last), *_one(last, end, finer)]\n",
        "    return [(top, first, last)]\n",
        f"{_COVER}ranges_of_all_grains_make_the_range_without_gap_or_overlap",
    ),
    (
        "a rollup answers though it lacks a dimension",
        "social_assets/metrics/planner/plan.py",
        "        and dimensions.issubset(each.dimensions)\n",
        "",
        f"{_ANSWERS}every_dimension_divides_and_filters",
    ),
    (
        "a column of a restricted measure is not preferred to the measure of all rows",
        "social_assets/metrics/planner/sql.py",
        "        return replace(measure, name=column).from_rollup(",
        "        return measure.from_rollup(",
        f"{_ANSWERS}users_of_platforms_come_from_one_sketch_a_day_for_all_kinds[reach]",
    ),
    (
        "questions about other accounts share one query",
        "social_assets/metrics/ask_together.py",
        "        question, metrics=()",
        "        question, accounts=None, metrics=()",
        f"{_TOGETHER}questions_about_other_accounts_are_of_other_families",
    ),
    (
        "distinct counts of several questions are added up",
        "social_assets/metrics/ask_together.py",
        "_EXACT = (Additivity.ADDITIVE, Additivity.RATIO)",
        "_EXACT = tuple(Additivity)",
        f"{_TOGETHER}what_one_query_cannot_answer_exactly_has_no_family",
    ),
    (
        "a shared answer keeps the groups beyond the limit",
        "social_assets/metrics/ask_together.py",
        "    if question.by and len({row.group for row in rows}) > question.limit:\n"
        "        return None\n",
        "",
        f"{_TOGETHER}a_question_with_more_groups_than_its_limit_is_asked_alone",
    ),
    (
        "the last good answer is not marked stale",
        "social_assets/serving/caching/cached_answers.py",
        'b"stale" if is_old else b"miss"',
        'b"miss"',
        f"{_CACHED}without_clickhouse_the_last_good_answer_is_given_and_marked_stale",
    ),
    (
        "one question that comes many times at once is computed many times",
        "social_assets/serving/caching/cached_answers.py",
        "self._running.get(key) or self._start(key, scope)",
        "self._start(key, scope)",
        f"{_CACHED}questions_that_come_at_the_same_time_are_computed_once",
    ),
)
REPORTS = _cases(
    (
        "a report is sent by two processes at once",
        "social_assets/control/reports/deliveries.py",
        "                .where(which, or_(is_free, is_over))\n",
        "                .where(which)\n",
        f"{_REPORTS}processes_at_once_send_each_period_once",
    ),
    (
        "a sender that died is never followed by another",
        "social_assets/control/reports/deliveries.py",
        "or_(is_free, is_over)",
        "or_(is_free, and_(is_over, _TABLE.attempts < 0))",
        f"{_REPORTS}a_sender_that_died_is_followed_by_another_after_its_lease",
    ),
    (
        "a late sender overwrites the outcome of the one that took over",
        "social_assets/control/reports/deliveries.py",
        "                    _TABLE.attempts == delivery.attempts,\n",
        "",
        f"{_REPORTS}a_sender_that_died_is_followed_by_another_after_its_lease",
    ),
)
CASES = [*ACCESS, *NUMBERS, *REPORTS]
