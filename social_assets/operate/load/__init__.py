"""The parts of `load` around its run: inputs, progress, report."""
