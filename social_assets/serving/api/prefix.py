"""What every path of the API begins with."""

PREFIX = "/api/v1"
