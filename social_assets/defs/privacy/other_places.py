"""Persons outside the tables of streams: in lists, texts, artifacts, copies, histories, logs.

Belongs here: the order in which these places are cleaned and looked into. What is done in each
belongs to `pipeline.privacy`, and for models to `recommend.forgotten`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from resources.settings.home import Home
from social_assets.contracts.registry import person_columns
from social_assets.defs.warehouse.features_lock import features_lock
from social_assets.features.feature_view import ACCOUNT, POST, USER
from social_assets.features.offline.training_table import training_table
from social_assets.features.online.chosen_store import online_store
from social_assets.features.online.materialize import online_lock
from social_assets.forecasts.tables import FORECASTS, SERIES
from social_assets.pipeline.identity.refresh_persons import refresh_persons
from social_assets.pipeline.privacy.erase_persons import Erased
from social_assets.pipeline.privacy.home_files import (
    Remainder,
    delete_landed_copies,
    overwrite_in_home,
    places_in_home,
)
from social_assets.pipeline.privacy.ids_in_bytes import DISTINCT_CHARACTERS
from social_assets.pipeline.privacy.landing_objects import mark_objects, objects_left
from social_assets.pipeline.privacy.log_lines import delete_log_lines
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.privacy.warehouse_rows import (
    drop_staging_tables,
    places_in_warehouse,
    wait_for_old_parts,
)
from social_assets.recommend.forgotten import delete_superseded, in_use_that_know
from social_assets.recommend.top_n import TOP_N
from social_assets.transform.text.documents import index_days
from social_assets.transform.text.registry import models_in_force, scoring_model
from social_assets.transform.text.sentiment import score_days
from social_assets.warehouse.served.serving_tables import delete_rows

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_TRAIN = "social-assets recsys train, then the same command again"


@dataclass(frozen=True)
class CleanedHome:
    """How many files were deleted or overwritten, and the places that still have an id."""

    landed_files: int
    overwritten_files: int
    left: tuple[Remainder, ...]


def clean_warehouse(
    client: Client, persons: PersonIds, erased: Sequence[Erased], run_id: str
) -> list[Remainder]:
    """Make anew what is not built by dbt, wait for old files, and look into every table.

    The facts and rollups of the erased days must have been rebuilt.
    """
    if days := sorted({day for each in erased for day in each.days}):
        score_days(client, scoring_model(models_in_force()), days, run_id)
        locks = Home.from_environment().path / "locks"
        index_days(client, locks, days, run_id, is_erased=True)
        refresh_persons(client, locks, run_id, datetime.now(UTC))
    if not persons.ids:
        return []
    delete_rows(client, TOP_N, "user_id", sorted(persons.ids))
    with features_lock():
        delete_rows(client, training_table(), "user_id", sorted(persons.ids))
    for forecasts in (FORECASTS, SERIES):
        # A person may be an account too; the next night forecasts those that are left.
        delete_rows(client, forecasts, "account", sorted(persons.ids))
    delete_log_lines(client, persons)
    staging = drop_staging_tables(client)
    old_files = wait_for_old_parts(client)
    return [*staging, *old_files, *places_in_warehouse(client, persons, person_columns())]


def delete_online_features(home: Home, persons: PersonIds) -> int:
    """Delete the persons from the online store, also if it is a Redis. Returns how many rows.

    A distinct id may also name an account, whose records are deleted as well. A pass that has read
    their rows before ends first: it holds the lock. Raises OnlineStoreError.
    """
    users = [(each.platform, each.id) for each in persons.persons]
    distinct = [each for each in users if len(each[1]) >= DISTINCT_CHARACTERS]
    store = online_store(home)
    try:
        with online_lock(home.path / "locks"):
            deleted = store.forget(USER, users)
            return deleted + sum(store.forget(each, distinct) for each in (ACCOUNT, POST))
    finally:
        store.close()


def clean_home(home: Home, persons: PersonIds, erased: Sequence[Erased]) -> CleanedHome:
    """Delete copies and old models, overwrite histories and logs, and look into every file."""
    mark_objects(home, erased)
    landed_files = delete_landed_copies(home, persons, erased)
    if not persons.ids:
        return CleanedHome(landed_files, 0, ())
    delete_superseded(persons)
    models = [str(each.relative_to(home.path)) for each in in_use_that_know(persons)]
    overwritten = overwrite_in_home(home, persons)
    left = [
        *(Remainder(each, _TRAIN) for each in models),
        *places_in_home(home, persons),
        *objects_left(home, erased),
    ]
    return CleanedHome(landed_files, overwritten, tuple(left))
