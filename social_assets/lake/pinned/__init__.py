"""The lake at one instant: versions of its tables, and their files."""
