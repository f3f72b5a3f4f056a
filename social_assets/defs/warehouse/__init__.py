"""Assets and checks of the star schema and the rollups."""
