"""The steps of a stream: file -> raw -> cleaned and quarantine -> warehouse.

Each step takes what the one before has recorded, in one transaction that says what it took, and can
be killed and called again at any moment. `ingest` walks a load through all of them; `rebuild` makes
days anew from raw. Dagster drives them (`social_assets.defs`) and so can any other program.
"""
