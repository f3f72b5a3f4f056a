"""Delta reads and writes, offsets and transaction ids: the tables raw, cleaned and quarantine."""
