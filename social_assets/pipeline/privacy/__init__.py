"""Forgets persons: deletes their records, and rejects those that arrive later."""
