"""The kinds of active alerts, one module each: what fails, and how it is observed."""
