"""Rules on metrics: what is worth telling people about posts, accounts and platforms."""
