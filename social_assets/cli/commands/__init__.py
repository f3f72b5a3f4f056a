"""The commands of `social-assets`: one module a group of commands."""
