"""What every listener checks in a request."""
