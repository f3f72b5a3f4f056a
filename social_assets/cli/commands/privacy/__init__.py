"""Commands that forget persons."""
