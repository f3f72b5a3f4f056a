"""Records to rows of cleaned and quarantine, block by block."""
