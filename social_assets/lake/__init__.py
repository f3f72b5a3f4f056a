"""The lake: Delta tables of raw, cleaned and quarantine, with offsets and transaction ids."""
