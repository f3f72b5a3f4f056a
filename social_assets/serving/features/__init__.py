"""Features of one user, account or post by the API, from the online store."""
