"""Assets and checks of the features of users."""
