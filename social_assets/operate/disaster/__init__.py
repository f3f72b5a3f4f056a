"""Survives the loss of a machine or of its warehouse: rebuild, backup, restore."""
