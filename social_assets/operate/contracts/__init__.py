"""Contracts before they are used: trying one on a file, and inferring one from files."""
