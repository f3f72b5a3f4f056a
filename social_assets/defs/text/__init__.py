"""Assets and checks of texts."""
