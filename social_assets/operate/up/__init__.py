"""All processes of an installation on this machine, kept running without containers."""
