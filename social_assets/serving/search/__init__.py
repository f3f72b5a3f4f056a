"""Search over posts and comments: what is asked, what is found, and how both are shown."""
