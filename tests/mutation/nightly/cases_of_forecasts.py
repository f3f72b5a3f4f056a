"""Mutations of forecasts: issue 18, part 7, what would make bands wrong or anomalies silent."""

from __future__ import annotations

from tests.mutation.case import Case

_UNIT = "tests/unit/forecasts/"
_FORECAST = f"{_UNIT}test_forecast.py::test_"
_SERIES = f"{_UNIT}test_series.py::test_"
_ASSET = "tests/integration/warehouse/forecasts/test_asset_of_forecasts.py::test_"
_CODE = "social_assets/forecasts/"

CASES: tuple[Case, ...] = tuple(
    Case("18.7 forecasts", what, file, old, new, test)
    for what, file, old, new, test in (
        (
            "workers outlive a run that is killed",
            f"{_CODE}workers.py",
            'get_context("spawn"), end_with_parent, (os.getpid(),)',
            'get_context("spawn")',
            "tests/integration/warehouse/forecasts/test_killed_workers.py::test_"
            "no_worker_outlives_a_run_that_is_killed",
        ),
        (
            "the worst model is the champion",
            f"{_CODE}forecast.py",
            "    champion = min(errors",
            "    champion = max(errors",
            f"{_FORECAST}a_planted_season_is_found_and_covered",
        ),
        (
            "a model is fitted to the windows that it is tested on",
            f"{_CODE}forecast.py",
            "    fitted = model.fit(values[: begins[0]])\n",
            "    fitted = model.fit(values)\n",
            f"{_FORECAST}the_models_see_nothing_of_the_window_that_they_are_tested_on",
        ),
        (
            "the last window widens its own interval",
            f"{_CODE}forecast.py",
            "_factors(band.part(before), actual[before])",
            "_factors(band.part(last), actual[last])",
            f"{_FORECAST}the_coverage_of_the_last_window_is_of_intervals_that_have_not_seen_it",
        ),
        (
            "intervals that did not hold stay as they are",
            f"{_CODE}forecast.py",
            "        final.widened(_factors(band, actual)),\n",
            "        final,\n",
            f"{_FORECAST}intervals_widen_after_windows_in_which_they_did_not_hold",
        ),
        (
            "a lower bound is negative",
            f"{_CODE}candidates.py",
            "np.maximum(self.mean - self.spreads[level], 0.0)",
            "self.mean - self.spreads[level]",
            f"{_FORECAST}a_degenerate_series_is_forecast_by_what_it_repeats",
        ),
        (
            "the band of a constant series has no width",
            f"{_CODE}candidates.py",
            "np.fmax(spreads[level], _Z[level] * deviation)",
            "spreads[level]",
            f"{_FORECAST}a_constant_series_has_the_interval_of_counts",
        ),
        (
            "rows of an incomplete day count",
            f"{_CODE}series.py",
            "(steps >= 0) & (steps < rhythm.history)",
            "(steps >= 0)",
            f"{_SERIES}rows_of_incomplete_and_of_very_old_steps_do_not_count",
        ),
        (
            "rows of one step replace each other",
            f"{_CODE}series.py",
            "    np.add.at(matrix, (codes[is_kept], steps[is_kept]), "
            "np.nan_to_num(values[is_kept]))\n",
            "    matrix[codes[is_kept], steps[is_kept]] = np.nan_to_num(values[is_kept])\n",
            f"{_SERIES}rows_of_one_step_are_added_and_the_order_of_rows_is_free",
        ),
        (
            "an infinite value is forecast",
            f"{_CODE}series.py",
            "    if np.isinf(values).any():\n",
            "    if False:\n",
            f"{_SERIES}an_infinite_value_is_refused_with_the_name_of_its_series",
        ),
        (
            "no value is told",
            "social_assets/quality/forecasts/recorded.py",
            "WHERE is_anomaly AND ",
            "WHERE NOT is_anomaly AND ",
            f"{_ASSET}a_planted_spike_is_an_anomaly_and_its_check_warns",
        ),
    )
)
