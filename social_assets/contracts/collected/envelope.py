"""What all collected streams share: their owner, and the envelope around a platform's record.

Belongs here: what the envelope of `pipeline.pages.envelopes` has beside the record. `record` is
what the platform sent; `within` are the objects around a record that was cut out of a larger one,
the innermost first. Where a stream's columns stand belongs to the module of the stream.
"""

PARENT_ID = "parent_id"
"""The post, comment or video that the platform was asked about."""

OWNER = "team:collection"
