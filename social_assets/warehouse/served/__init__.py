"""Tables that are replaced as a whole, so that readers see the old rows or the new ones."""
