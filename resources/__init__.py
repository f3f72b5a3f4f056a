"""Resources: stores, engines and brokers that the graph needs.

Belongs here: one folder a subject. Each resource is configured by environment or by Dagster config,
opens connections and returns them. `social_assets` uses them; nothing here knows an asset, a
contract or a table.
"""
