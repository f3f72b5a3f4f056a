"""The declared subjects, one module each: fact, dimensions, measures, rollups, metrics."""
