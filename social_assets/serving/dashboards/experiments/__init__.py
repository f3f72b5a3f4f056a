"""The figures of experiments: what to do, lift and interval of each metric, units."""
