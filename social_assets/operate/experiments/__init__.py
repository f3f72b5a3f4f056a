"""What commands ask of experiments."""
