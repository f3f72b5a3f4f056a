"""The lock of the layer `features`: one process at a time builds its days.

Belongs here: only the lock. A run builds days around its own too, so two runs may build the same
day, and the one that has read older facts must not be the last. The streams are not held: loads and
drains go on, and a day that they change meanwhile is requested again. Whoever holds streams takes
this lock after them.
"""

from contextlib import AbstractContextManager

from resources.settings.home import Home
from social_assets.lake.lock import stream_lock


def features_lock() -> AbstractContextManager[None]:
    """Wait for the lock, and hold it for the block."""
    return stream_lock(Home.from_environment().path / "locks", "features")
