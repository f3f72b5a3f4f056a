"""Pictures from addresses of strangers: checked, fetched within bounds, typed by content."""
