"""The doctor's examination of the stores that homes share: published models, files to load.

It reads as the platform does: the publication in force, and a listing of the landing's root.
"""

from __future__ import annotations

from collections.abc import Iterator

from resources.settings.bucket_urls import LANDING_URL, artifacts_url, landing_url
from resources.settings.home import Home
from social_assets.operate.doctor.diagnostic import Diagnostic, ok, warn

_MOST_NAMED = 5


def models(home: Home) -> Iterator[Diagnostic]:
    """Whether the store of published models can be read, and what is in force."""
    url = artifacts_url()
    if url is None:
        return
    # Imported here: the doctor imports large modules only for what is set.
    from social_assets.lake.artifacts.publications import Publications
    from social_assets.recommend.folders import champions_root
    from social_assets.transform.text.registry import models_root

    areas = (champions_root().name, models_root(home).name)
    newest = {area: Publications.of(url, area).newest() for area in areas}
    told = [
        f"publication {each.number} of {area}, {len(each.files)} files"
        for area, each in newest.items()
        if each
    ]
    yield ok("models", f"{url}: {', '.join(told) or 'nothing is published yet'}")


def landing(_: Home) -> Iterator[Diagnostic]:
    """Whether the store of files to load can be listed, and whether its folders are streams."""
    url = landing_url()
    if url is None:
        return
    from pyarrow import fs

    from social_assets.contracts.registry import contracts
    from social_assets.lake.storage.errors import store_errors
    from social_assets.lake.storage.file_system import delta_options, files_below, storage_of

    with store_errors(f"landing at {url}", LANDING_URL):
        storage = storage_of(url, delta_options(url))
        found = files_below(storage.files, storage.root)
    streams = {each.name for each in contracts()}
    folders = sorted(each.base_name for each in found if each.type == fs.FileType.Directory)
    known = [name for name in folders if name in streams]
    yield ok("landing", f"{url}: folders of {', '.join(known) or 'no stream yet'}")
    if unknown := [name for name in folders if name not in streams]:
        named = ", ".join(unknown[:_MOST_NAMED]) + (", ..." if len(unknown) > _MOST_NAMED else "")
        yield warn(
            "landing",
            f"{url}: no stream is named {named}: nothing loads what is there",
            "name the folder as the stream is named (`social-assets streams`), or add a contract",
        )
