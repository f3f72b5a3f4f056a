"""One module a platform: its paths, its pages, its errors."""
