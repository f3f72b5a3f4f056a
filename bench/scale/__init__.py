"""How the platform grows beyond one machine."""
