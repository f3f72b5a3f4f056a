"""What collected streams share: owner, limits of age, and the envelope around a record.

Belongs here: what the envelope of `pipeline.pages.envelopes` has beside the record. `record` is
what the platform sent; `within` are the objects around a record that was cut out of a larger one,
the innermost first. Where a stream's columns stand belongs to the module of the stream.
"""

from datetime import timedelta

from social_assets.contracts.contract import Band, Drift, Freshness

PARENT_ID = "parent_id"
"""The post, comment or video that the platform was asked about."""

OWNER = "team:collection"

OF_EVERY_DAY = Freshness(may_be_empty=True)
"""Of snapshots, which come every day once an account is tracked."""

AS_PEOPLE_WRITE = Freshness(timedelta(days=7), timedelta(days=30), may_be_empty=True)
"""Of posts and comments, which come when somebody writes one."""

UNEVEN = Drift(volume=Band(10.0, 100.0))
"""Of posts and comments: a few accounts write on some days, and on others not."""
