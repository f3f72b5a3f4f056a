"""The record of the contracts under which cleaned tables were made."""
