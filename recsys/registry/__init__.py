"""Published models on disk: artifacts, the current version, the deployment history."""
