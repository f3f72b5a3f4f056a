"""The statistics of experiments, over moments: nothing here reads a table."""
