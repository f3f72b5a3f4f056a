"""The declared experiments, one module each with an `EXPERIMENT`."""
