"""Reads sources: cuts files and topics into records, each with its original bytes.

Belongs here: reading a source into Arrow batches of records. What the bytes mean belongs to
`transform`; where they are stored belongs to `lake`.
"""
