"""From a question to SQL: buckets of time, a cover of the range by tables, one SELECT."""
