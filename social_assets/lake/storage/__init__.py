"""Where the files of tables are: folders and buckets, and what goes wrong there."""
