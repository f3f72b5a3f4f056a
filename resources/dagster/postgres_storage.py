"""Dagster's storage in Postgres, which reads its URL strictly.

A module of its own, since it needs `dagster_postgres`. `docker/production` names its class.
SQLAlchemy shows parts of a malformed URL in its errors, which end in the logs of all processes.
"""

from __future__ import annotations

from typing import Any

from dagster_postgres import DagsterPostgresStorage

from resources.settings.environments import DAGSTER_STORAGE_URL
from resources.settings.secret_urls import check_postgres_url


class PostgresStorage(DagsterPostgresStorage):
    """As it is, but for the check of its URL. Raises UrlSettingError naming the variable."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> PostgresStorage:
        """Check the URL before anything else reads it."""
        check_postgres_url(DAGSTER_STORAGE_URL, config_value["postgres_url"])
        return cls(inst_data=inst_data, **config_value)
