"""What people set for collection: credentials of platforms, tracked accounts."""
