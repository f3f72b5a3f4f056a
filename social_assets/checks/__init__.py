"""Factories of asset checks: contract rules, conservation, freshness, referential integrity.

Each takes a contract or a table and returns checks; none names a stream. A check that cannot run
fails its run: a crash is no verdict.
"""
