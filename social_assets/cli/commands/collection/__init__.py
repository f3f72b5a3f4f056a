"""Commands of collection from platforms."""
