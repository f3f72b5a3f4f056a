"""The Dagster UI of a home: its process, its gate, its lock."""
