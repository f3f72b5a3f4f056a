"""What the command line does with features."""
