"""The feature views: one module a view, each with its `VIEW`. Nothing else belongs here."""
