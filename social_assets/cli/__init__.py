"""The command line. Parses, calls `operate`, prints."""
