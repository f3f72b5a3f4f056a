"""Parts of pandera that it does not export, and that compile a contract's checks.

Belongs here: every import from `pandera.api` and `pandera.backends`. A check of a contract is
compiled to a column of Ibis by the function that pandera's Ibis backend calls; pandera itself
offers validation of whole tables only.
"""

from pandera.api.checks import Check
from pandera.api.ibis.types import IbisData
from pandera.backends.ibis.checks import IbisCheckBackend
from pandera.backends.ibis.register import register_ibis_backends

CHECKED_AGAINST = "0.35"
"""The release of pandera in which these parts were checked."""

__all__ = ["CHECKED_AGAINST", "Check", "IbisCheckBackend", "IbisData", "register_ibis_backends"]
