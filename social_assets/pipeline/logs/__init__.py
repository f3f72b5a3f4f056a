"""From the home's log files to `ops.logs`, exactly once."""
