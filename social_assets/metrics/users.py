"""The users of a fact's rows, as every subject counts them.

Belongs here: the measure, and the SQL that leaves out `Unknown`, the member that stands for
audiences (`dbt/macros/rollups/users_state.sql`).
"""

from hashlib import md5

from social_assets.metrics.measure import Aggregate, Measure

UNKNOWN = "Unknown"

KNOWN_USER = f"user_key != unhex('{md5(UNKNOWN.encode(), usedforsecurity=False).hexdigest()}')"
"""SQL of the rows that name a user: an audience's rows do not."""

USERS = Measure("users", Aggregate.DISTINCT, "user_key", counted_if=KNOWN_USER)
"""Distinct known users."""
