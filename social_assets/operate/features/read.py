"""Features of one user, account or post from the online store, for the command line.

Belongs here: opening the store. What is read belongs to `features.online`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from resources.settings.home import Home
from social_assets.features.online.answer import FeaturesNow, features_now
from social_assets.features.online.chosen_store import online_store
from social_assets.features.registry import entity_named


def features_of(home: Home, entity: str, id_: str) -> FeaturesNow:
    """The features of an id now. Raises OnlineStoreError."""
    store = online_store(home)
    try:
        return features_now(store, entity_named(entity), id_, datetime.now(UTC))
    finally:
        store.close()
