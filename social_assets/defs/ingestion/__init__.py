"""Assets, checks and jobs of raw, cleaned and quarantine."""
