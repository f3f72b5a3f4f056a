"""Commands that show what the installation tells: alerts and log lines."""
