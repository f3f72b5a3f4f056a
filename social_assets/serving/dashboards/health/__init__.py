"""The platform's own figures: lag, freshness, rejected records, invariants, pending days."""
