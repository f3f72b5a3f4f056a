from __future__ import annotations

import json
from datetime import date

from resources.embedded_clickhouse.lifecycle import Endpoint
from social_assets.warehouse.dbt.project import Days, dbt_arguments, dbt_environment


def test_a_range_of_days_is_one_invocation_with_both_ends() -> None:
    arguments = dbt_arguments("run", ["fact"], days=Days(date(2026, 1, 1), date(2026, 12, 31)))
    assert arguments[:3] == ["run", "--select", "fact"]
    assert json.loads(arguments[-1]) == {"from_date": "2026-01-01", "to_date": "2026-12-31"}


def test_without_days_no_row_is_asked_for() -> None:
    assert dbt_arguments("run") == ["run"]


def test_the_same_models_in_any_order_are_the_same_arguments() -> None:
    assert dbt_arguments("run", ["b", "a"]) == ["run", "--select", "a", "b"]


def test_the_profile_learns_address_credentials_and_on_whose_behalf() -> None:
    environment = dbt_environment(Endpoint("https://db.internal:9443", "u", "p"), "run star", 2)
    assert environment == {
        "SOCIAL_ASSETS_DBT_HOST": "db.internal",
        "SOCIAL_ASSETS_DBT_PORT": "9443",
        "SOCIAL_ASSETS_DBT_SECURE": "True",
        "SOCIAL_ASSETS_DBT_CLUSTER": "",
        "SOCIAL_ASSETS_DBT_USER": "u",
        "DBT_ENV_SECRET_CLICKHOUSE_PASSWORD": "p",
        "SOCIAL_ASSETS_DBT_THREADS": "2",
        "SOCIAL_ASSETS_LOG_COMMENT": "run star",
    }


def test_an_address_without_port_means_the_port_of_its_scheme() -> None:
    plain = dbt_environment(Endpoint("http://db", "u", "p"), "", 1)
    secure = dbt_environment(Endpoint("https://db", "u", "p"), "", 1)
    assert (plain["SOCIAL_ASSETS_DBT_PORT"], secure["SOCIAL_ASSETS_DBT_PORT"]) == ("8123", "8443")
