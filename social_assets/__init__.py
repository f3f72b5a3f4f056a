"""Social-media data assets: contracts, engine, lake, warehouse, steps, checks and definitions."""
