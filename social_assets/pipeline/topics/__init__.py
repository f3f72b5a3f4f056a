"""The steps of a topic: offset ranges, micro-batches, and the drain that takes them along."""
