"""`social-assets media --fetch` after a collection: files, rows, events and checks of one run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from bench.collection.served_platforms import ServedPlatforms, served_platforms
from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from resources.settings.media_root import media_root
from social_assets.cli.main import main
from social_assets.control.collection.schedule import CollectionPlan
from social_assets.defs.media.media_keys import media_key
from social_assets.demo.served_accounts import track_served
from social_assets.lake.media.media_files import MediaFiles
from social_assets.operate.runs.instance import open_instance

pytestmark = pytest.mark.endurance

WITH_PICTURES = ["Facebook", "Instagram", "TikTok", "YouTube"]
"""X names its pictures beside the posts of a page, which the connector does not ask for."""


@pytest.fixture(scope="module")
def collected(home: Home) -> Iterator[ServedPlatforms]:
    with served_platforms(home, seed=5, accounts=1) as found:
        track_served(found.url, home, CollectionPlan())
        with pytest.raises(SystemExit):
            main(["--home", str(home.path), "collect", "--format", "json"])
        yield found


def fetch(home: Home, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["--home", str(home.path), "media", "--fetch", "--format", "json"])
    assert ended.value.code == 0
    return json.loads(capsys.readouterr().out)


def rows(query: str) -> list[tuple[Any, ...]]:
    with ClickHouseResource().client() as client:
        return [tuple(row) for row in client.query(query).result_rows]


def test_each_post_with_a_picture_has_its_file(
    collected: ServedPlatforms, capsys: pytest.CaptureFixture[str]
) -> None:
    found = fetch(collected.home, capsys)
    assert {each["state"] for each in found["pictures"]} == {"fetched"}
    assert [each["platform"] for each in found["pictures"]] == WITH_PICTURES
    [(wanted,)] = rows(
        "SELECT uniqExact(platform, post_id) FROM cleaned.posts_collected\n"
        "WHERE media_url IS NOT NULL"
    )
    joined = rows(
        "SELECT posts.post_id, media.sha256 FROM star.collected_posts AS posts\n"
        "JOIN star.post_media AS media USING (platform, post_id) WHERE media.state = 'fetched'"
    )
    assert len(joined) == wanted == sum(each["pictures"] for each in found["pictures"])
    files = {each.sha256: each for each in MediaFiles.at(media_root(collected.home)).list()}
    assert files.keys() == {sha256 for _, sha256 in joined}
    assert sum(each.size_bytes for each in files.values()) == found["bytes"]


def test_another_collection_with_new_signatures_fetches_nothing_again(
    collected: ServedPlatforms, capsys: pytest.CaptureFixture[str]
) -> None:
    before = collected.get("/__pictures")
    account = next(iter(collected.truth("facebook")))
    with pytest.raises(SystemExit):
        said = ("--account", f"facebook:{account}", "--all", "--format", "json")
        main(["--home", str(collected.home.path), "collect", *said])
    fetch(collected.home, capsys)
    assert collected.get("/__pictures") == before
    assert set(before.values()) == {1}


def test_the_graph_shows_the_run_and_its_checks_pass(collected: ServedPlatforms) -> None:
    key = media_key("posts_collected")
    with open_instance(collected.home) as instance:
        event = instance.get_latest_materialization_event(key)
        storage = instance.event_log_storage
        named = [dg.AssetCheckKey(key, each) for each in ("pictures_are_fetched", "pictures_fit")]
        checks = storage.get_latest_asset_check_execution_by_key(named)
        raw = storage.get_materialized_partitions(dg.AssetKey(["raw", "post_media"]))
        cleaned = storage.get_materialized_partitions(dg.AssetKey(["cleaned", "post_media"]))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["fetched"].value == 0, "by the second run"
    assert {each.status.value for each in checks.values()} == {"SUCCEEDED"}
    assert len(checks) == 2
    assert raw == cleaned
    assert len(raw) == 1


def test_the_nightly_run_removes_nothing_that_is_needed(collected: ServedPlatforms) -> None:
    from social_assets.locations.batch import defs

    files = MediaFiles.at(media_root(collected.home))
    before = sorted(each.name for each in files.list())
    files.put(b"GIF89a that no row names;", "gif")
    with open_instance(collected.home) as instance:
        done = (
            defs()
            .resolve_job_def("maintain")
            .execute_in_process(
                instance=instance, asset_selection=[dg.AssetKey(["maintenance", "media"])]
            )
        )
        checked = done.get_asset_check_evaluations()
    assert sorted(each.name for each in files.list()) == before
    assert [(each.check_name, each.passed) for each in checked] == [("files_are_there", True)]
