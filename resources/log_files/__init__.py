"""Files of log lines in the home: one JSON object a line, one file a process."""
