"""The two code locations of `workspace.yaml`: one `Definitions` object each, and nothing else."""
