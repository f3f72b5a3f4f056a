"""The watermark of a stream: until when its events count as complete.

Belongs here: how far it is behind the newest event.
"""

from datetime import timedelta

WATERMARK_DELAY = timedelta(minutes=5)
"""How far events may be out of order in the live view: events that are older than the newest one by
more than this count as complete."""
