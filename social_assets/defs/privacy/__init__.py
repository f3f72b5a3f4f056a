"""Assets of privacy: what was deleted of persons who are forgotten."""
