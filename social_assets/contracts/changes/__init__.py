"""How contracts change: a contract as text, and the difference between two contracts."""
