"""Mutations of experiments: issue 17, what would make their results wrong or their checks blind."""

from __future__ import annotations

from tests.mutation.case import Case

_WAREHOUSE = "tests/integration/warehouse/experiments/"
_ANALYSIS = f"{_WAREHOUSE}test_analysis_of_experiments.py::test_"
_ASSET = f"{_WAREHOUSE}test_asset_of_experiments.py::test_"
_UNIT = "tests/unit/recommend/experiments/"
_RULES = f"{_UNIT}test_recommendation.py::test_"
_RATES = f"{_UNIT}statistics/test_error_rates.py::test_"
_CODE = "social_assets/recommend/experiments/"
_UNITS = f"{_CODE}outcomes/exposed_units.py"
_MOMENTS = f"{_CODE}outcomes/daily_moments.py"
_CHECKS = "social_assets/quality/experiments/exposures.py"

CASES: tuple[Case, ...] = tuple(
    Case("17 experiments", what, file, old, new, test)
    for what, file, old, new, test in (
        (
            "the share of units moves their variants",
            f"{_CODE}assignment.py",
            '    if place(f"{salt}/{_SHARE}", unit) >= _cut(experiment.share):\n',
            "    if place(salt, unit) >= _cut(experiment.share):\n",
            f"{_UNIT}test_assignment.py::test_"
            "a_larger_share_keeps_the_variants_of_those_who_take_part",
        ),
        (
            "a unit in two variants counts in one of them",
            _UNITS,
            "HAVING uniqExact(variant) = 1 AND ",
            "HAVING ",
            f"{_ANALYSIS}a_unit_in_two_variants_is_left_out_and_counted",
        ),
        (
            "the last exposure counts",
            _UNITS,
            "min(event_time) AS {FIRST_EXPOSED}",
            "max(event_time) AS {FIRST_EXPOSED}",
            f"{_ANALYSIS}the_first_exposure_counts",
        ),
        (
            "a unit counts before its outcome is complete",
            _UNITS,
            '    matured = f"{FIRST_EXPOSED} + {seconds_sql(experiment.window)}"\n',
            "    matured = FIRST_EXPOSED\n",
            f"{_ANALYSIS}the_day_of_the_newest_event_does_not_count_yet"
            f" {_ANALYSIS}a_unit_counts_when_its_window_is_over"
            f" {_ANALYSIS}a_planted_lift_is_found_and_its_variant_is_shipped",
        ),
        (
            "what a unit did before its exposure is its outcome",
            _MOMENTS,
            'event_time >= {FIRST_EXPOSED} AND event_time < {until}"',
            'event_time < {until}"',
            f"{_ANALYSIS}reactions_after_the_window_and_before_the_exposure_are_no_outcome",
        ),
        (
            "the day that still grows counts",
            _MOMENTS,
            "    return min(newest) - _DAY\n",
            "    return min(newest)\n",
            f"{_ANALYSIS}the_day_of_the_newest_event_does_not_count_yet",
        ),
        (
            "the interval is that of one look",
            f"{_CODE}statistics/sequential.py",
            "    return math.sqrt((known + 1) / known"
            " * (math.log1p(known) - 2 * math.log(alpha)))\n",
            "    return 1.96\n",
            f"{_RATES}looking_thirty_times_decides_falsely_at_most_as_often_as_once",
        ),
        (
            "the time before the exposure reduces nothing",
            f"{_CODE}statistics/comparison.py",
            "    adjusts = _varies_earlier(control, treatment)\n",
            "    adjusts = False\n",
            f"{_RATES}cuped_removes_the_variance_that_habit_explains",
        ),
        (
            "p-values of several comparisons are not adjusted",
            f"{_CODE}statistics/adjustment.py",
            'float(result["metric"]["pvalue_adj"])',
            'float(result["metric"]["pvalue"])',
            f"{_UNIT}statistics/test_comparison.py::test_adjusted_p_values_are_those_of_holm",
        ),
        (
            "a mismatch of the numbers of units stops nothing",
            f"{_CODE}recommendation.py",
            "    elif state.sample_ratio_p_value < MISMATCH_BELOW:\n",
            "    elif state.sample_ratio_p_value < 0:\n",
            f"{_RULES}the_first_rule_that_holds_decides",
        ),
        (
            "a treatment that does harm is shipped",
            f"{_CODE}recommendation.py",
            "if (why := _harm(experiment, name, compared) or _lost(experiment, name, compared))",
            "if (why := _lost(experiment, name, compared))",
            f"{_RULES}the_first_rule_that_holds_decides",
        ),
        (
            "a model is admitted when its experiment ships another one",
            f"{_CODE}admission.py",
            "        and shipped.model == model\n",
            "",
            f"{_RULES}a_model_is_admitted_if_its_experiment_ships_it",
        ),
        (
            "sample_ratio passes always",
            _CHECKS,
            "        return self.p_value >= MISMATCH_BELOW\n",
            "        return True\n",
            f"{_ASSET}a_sample_ratio_mismatch_fails_its_check",
        ),
        (
            "guardrails_hold passes always",
            _CHECKS,
            'f"WHERE is_harm AND (experiment, as_of) IN\\n"',
            'f"WHERE false AND (experiment, as_of) IN\\n"',
            f"{_ASSET}a_harmed_guardrail_fails_its_check",
        ),
        (
            "exposures_are_as_assigned does not look at the assignment",
            _CHECKS,
            "            or self.assigned_otherwise\n",
            "",
            f"{_ASSET}units_in_another_variant_than_assigned_warn",
        ),
    )
)
