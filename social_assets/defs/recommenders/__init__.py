"""Assets and checks of the recommenders."""
