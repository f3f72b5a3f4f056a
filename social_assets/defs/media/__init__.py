"""Pictures of posts in Dagster: the assets that fetch them, their checks, their upkeep."""
