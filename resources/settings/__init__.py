"""Settings of an installation: its home, variables, environment, logs."""
