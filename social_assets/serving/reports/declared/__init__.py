"""The declared reports, one module each."""
