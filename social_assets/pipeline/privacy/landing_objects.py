"""Objects in the store of landing that brought records of persons who are forgotten.

Belongs here: remembering them, and naming those that are still there. The store belongs to its
producers, so its objects are theirs to delete.
"""

from __future__ import annotations

from collections.abc import Collection

from resources.settings.home import Home
from social_assets.pipeline.files.landing_folder import Landing
from social_assets.pipeline.landing_store.landing_objects import LandingObjects
from social_assets.pipeline.landing_store.taken_objects import TakenObjects
from social_assets.pipeline.privacy.erase_persons import Erased
from social_assets.pipeline.privacy.home_files import Remainder

_REMEDY = (
    "the owner of the bucket deletes it, with its older versions, or replaces it by one without the"
    " records; then the same command again"
)


def mark_objects(home: Home, erased: Collection[Erased]) -> None:
    """Remember the objects that brought the erased records: raw names their files no more."""
    for each in erased:
        TakenObjects(home.landing / each.stream).mark(each.files)


def objects_left(home: Home, erased: Collection[Erased]) -> list[Remainder]:
    """The objects of these streams that must go and are still there. Raises LakeStoreError."""
    left = []
    for each in erased:
        landing = Landing(home.landing, each.stream)
        marked = TakenObjects(landing.folder).that_must_go()
        objects = LandingObjects.of(landing) if marked else None
        if objects is not None:
            left += [Remainder(url, _REMEDY) for url in objects.still_there(marked)]
    return left
