"""Social-media data assets: contracts, engine, lake, warehouse, hops, checks and definitions."""
