"""The sources of ALS's parameters: run config, then tuning, then defaults."""

from social_assets.defs.recommenders.models import AlsConfig


def test_what_a_run_asks_for_goes_before_what_tuning_found() -> None:
    parameters = AlsConfig(factors=32).over({"factors": 128, "alpha": 3.0})
    assert parameters["factors"] == 32
    assert parameters["alpha"] == 3.0
    assert parameters["iterations"] == 15


def test_without_either_the_regularization_is_left_to_the_size_of_the_data() -> None:
    assert AlsConfig().over({})["regularization"] is None
