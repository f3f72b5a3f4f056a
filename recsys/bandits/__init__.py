"""Which item to try next, by what was learned from those that were tried."""
