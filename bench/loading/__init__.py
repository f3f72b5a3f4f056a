"""Measures files to cleaned tables: speed, memory, record sizes, compaction."""
