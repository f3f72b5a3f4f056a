"""What a check computes, without Dagster."""
