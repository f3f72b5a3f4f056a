"""The jobs that load, unload and drain, and the changes that they report."""
