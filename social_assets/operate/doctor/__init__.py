"""The doctor: diagnostics of settings, machine and services."""
