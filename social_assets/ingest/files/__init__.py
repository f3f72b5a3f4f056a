"""Files: CSV, NDJSON and Parquet, cut into records."""
