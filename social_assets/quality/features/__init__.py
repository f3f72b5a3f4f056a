"""What the checks of features compute."""
