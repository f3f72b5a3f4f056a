"""How well models rank or predict, on data they have not seen; and the search for parameters."""
