"""From a fitted model to ranked lists: scorers, ranking, the consumer. NumPy and pyarrow only."""
