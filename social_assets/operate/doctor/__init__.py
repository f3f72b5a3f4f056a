"""What is wrong with an installation: diagnostics of settings, machine and services."""
