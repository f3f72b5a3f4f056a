"""What the platform changes in Dagster's own services: event log, launchers, storage."""
