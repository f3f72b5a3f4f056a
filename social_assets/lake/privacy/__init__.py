"""What the lake knows of persons who are forgotten, and how it loses the bytes of deleted rows."""
