"""What requests use, opened once for a server."""

from __future__ import annotations

from dataclasses import dataclass

from social_assets.serving.asking.questions import Questions
from social_assets.serving.asking.warehouse import WarehouseThreads
from social_assets.serving.caching.kept_answers import KeptAnswers
from social_assets.serving.features.threads import OnlineFeatures
from social_assets.serving.figures import ServerFigures
from social_assets.serving.recommended.served_lists import ServedLists
from social_assets.serving.settings import ServeSettings
from social_assets.serving.store import Store
from social_assets.serving.webhooks.group_commit import GroupCommit


@dataclass(frozen=True)
class Services:
    """`request.app.state.services`."""

    settings: ServeSettings
    warehouse: WarehouseThreads
    questions: Questions
    store: Store
    kept: KeptAnswers
    figures: ServerFigures
    events: GroupCommit
    """Stores what services send back of recommendations."""
    lists: ServedLists
    online: OnlineFeatures
