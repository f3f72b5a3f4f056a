"""The member of dimensions that stands for no one: `Unknown`.

Belongs here: its key, and the SQL that leaves it out (`dbt/macros/rollups/users_state.sql`).
"""

from hashlib import md5

UNKNOWN = "Unknown"

KNOWN_USER = f"user_key != unhex('{md5(UNKNOWN.encode(), usedforsecurity=False).hexdigest()}')"
"""SQL of the rows that name a user: an audience's rows do not."""
