"""One module a platform: its `CONNECTOR`. Nothing but declarations belongs here."""
