"""Learning from sequences of items: packing them into rows, and training a model on these."""
