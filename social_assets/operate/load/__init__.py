"""What `load` needs around its run: inputs, progress, report."""
