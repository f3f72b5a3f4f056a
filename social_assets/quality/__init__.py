"""What checks compute, without Dagster."""
