"""What requests use, opened once for a server."""

from __future__ import annotations

from dataclasses import dataclass

from social_assets.serving.settings import ServeSettings
from social_assets.serving.warehouse import Warehouse


@dataclass(frozen=True)
class Services:
    """`request.app.state.services`."""

    settings: ServeSettings
    warehouse: Warehouse
