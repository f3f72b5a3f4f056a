"""The commands for the loss of a machine or of its warehouse."""
