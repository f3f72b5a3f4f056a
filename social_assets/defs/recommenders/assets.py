"""All assets and checks of the recommenders, and which of them are made when.

Belongs here: only the lists. The assets are in the modules of this folder.
"""

from dagster import AssetsDefinition

from social_assets.defs.recommenders import checks as champion_checks
from social_assets.defs.recommenders.exploration import explored_items
from social_assets.defs.recommenders.matrix import interaction_matrix
from social_assets.defs.recommenders.models import (
    NOT_DAILY,
    als,
    daily_candidates,
    popularity,
    requested_candidates,
)
from social_assets.defs.recommenders.promotion import challenger, champion
from social_assets.defs.recommenders.rules import list_rules
from social_assets.defs.recommenders.serving import similar_items, top_n
from social_assets.defs.recommenders.tuning import tuning

assets: list[AssetsDefinition] = [
    interaction_matrix,
    popularity,
    als,
    *daily_candidates,
    *NOT_DAILY,
    challenger,
    champion,
    top_n,
    similar_items,
    tuning,
    list_rules,
    explored_items,
]
_BESIDE = (tuning, list_rules, explored_items)
EVERY_DAY = [asset.key for asset in assets if asset not in (*NOT_DAILY, *_BESIDE)]
"""What schedule and demo train: not what stands beside it, nor the models of `WEEKLY` and
`ON_REQUEST`.
"""
ON_REQUEST = [asset.key for asset in requested_candidates]
"""The assets that are made only on request."""
checks = champion_checks.checks
