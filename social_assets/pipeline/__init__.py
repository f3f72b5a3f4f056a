"""The steps of a stream: file -> raw -> cleaned and quarantine -> warehouse.

Each step processes what the step before has recorded, in one transaction that records what it took.
It can be killed and called again at any time. `stream_work` takes a load through all steps, or
rebuilds days from raw. Dagster calls it (`social_assets.defs`), and any other program can.
"""
