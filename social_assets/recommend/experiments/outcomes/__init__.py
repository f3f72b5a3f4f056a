"""What the warehouse knows of an experiment's units: exposures, and sums of metrics."""
