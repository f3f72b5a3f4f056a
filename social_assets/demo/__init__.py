"""The demonstrations, and the sample files that they load."""
