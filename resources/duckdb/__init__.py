"""DuckDB as a resource: the settings of the engine."""
