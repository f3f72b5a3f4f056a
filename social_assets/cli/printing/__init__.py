"""How commands print: tables, JSON, progress."""
