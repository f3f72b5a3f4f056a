"""What the platforms hold: accounts, posts, comments and counters at a time."""
