"""Macros of the dbt project that are written from declarations in Python.

Belongs here: what models must not say a second time: contracts, limits of behaviour, engines of one
server or a cluster. The macros that people write are in `dbt/macros`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from resources.clickhouse.cluster import (
    cluster_from_environment,
    deduplication_settings,
    engine_on,
)
from social_assets.contracts.engagement_events import (
    ENGAGING,
    HALF_LIFE,
    LARGEST_VALUE,
    METRIC_WEIGHTS,
    SHOWN,
)
from social_assets.contracts.recommended.recommendation_feedback import WINDOW
from social_assets.contracts.registry import contracts
from social_assets.warehouse.dbt.behaviour_limits import SESSION_LIMITS, TEXT_LIMITS


def generated_macros() -> Mapping[str, str]:
    """The text of each file of macros, by its name."""
    return {
        "columns_of_platforms": columns_of_platforms(),
        "interest_weights": interest_weights(),
        "kinds_of_reactions": kinds_of_reactions(),
        "feedback_window": feedback_window(),
        "behaviour_limits": behaviour_limits(),
        "table_engines": table_engines(),
    }


def columns_of_platforms() -> str:
    """A macro: the columns of a stream that its contract finds in the records of each platform."""
    found = {
        contract.name: {platform: [*paths] for platform, paths in contract.sources.items()}
        for contract in contracts()
        if contract.sources
    }
    told = f"{{{{ return({json.dumps(found)}[stream]) }}}}"
    return f"{{% macro columns_of_platforms(stream) %}}{told}{{% endmacro %}}\n"


def interest_weights() -> str:
    """A macro: what reactions tell of a user's interest, as the contract of engagement declares."""
    found = {
        "weights": dict(METRIC_WEIGHTS),
        "largest_value": LARGEST_VALUE,
        "half_life_days": HALF_LIFE / timedelta(days=1),
    }
    return _returning("interest_weights", found)


def kinds_of_reactions() -> str:
    """A macro: which reactions show a post and which are engagement, as the contract declares."""
    return _returning("kinds_of_reactions", {"shown": repr(SHOWN), "engaging": repr(ENGAGING)})


def feedback_window() -> str:
    """A macro: for how many seconds after an exposure feedback belongs to it, as the contract
    declares.
    """
    seconds = WINDOW // timedelta(seconds=1)
    return f"{{% macro feedback_window_seconds() %}}{{{{ return({seconds}) }}}}{{% endmacro %}}\n"


def table_engines() -> str:
    """Macros: engine and deduplication settings of tables, on one server or on a cluster."""
    cluster = cluster_from_environment()
    engine = engine_on(cluster, "{{ engine }}")
    remembered = deduplication_settings(cluster, "{{ window }}")
    return (
        f"{{% macro engine_of_table(engine) -%}}{engine}{{%- endmacro %}}\n"
        f"{{% macro deduplication_settings(window) -%}}{remembered}{{%- endmacro %}}\n"
    )


def behaviour_limits() -> str:
    """Macros: from which limits on sessions are unusual, and texts coordinated."""
    return "".join(
        _returning(name, asdict(limits))
        for name, limits in (
            ("unusual_session_limits", SESSION_LIMITS),
            ("coordination_limits", TEXT_LIMITS),
        )
    )


def _returning(name: str, value: Mapping[str, Any]) -> str:
    told = f"{{{{ return({json.dumps(value)}) }}}}"
    return f"{{% macro {name}() %}}{told}{{% endmacro %}}\n"
