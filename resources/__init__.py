"""What the graph needs from the outside world: stores, engines and brokers.

One module a resource. Each is configured by environment or by Dagster config, opens
connections and hands them out. What the assets do with them stays in `social_assets`;
nothing here knows an asset, a contract or a table.
"""
