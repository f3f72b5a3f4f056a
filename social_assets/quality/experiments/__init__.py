"""What the checks of experiments compute, without Dagster."""
