"""The declared rules, one module each."""
