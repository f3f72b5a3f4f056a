"""Saved dashboards: nobody's change is overwritten unseen."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from social_assets.control.dashboards import LARGEST_SPECIFICATION, SavedDashboards
from social_assets.control.errors import ChangedMeanwhileError, UnknownDashboardError

TILES = json.dumps({"tiles": [{"metric": "likes", "title": "Gefällt mir 👍 \x00"}]})


def test_a_dashboard_is_read_as_it_was_saved(engine: Engine) -> None:
    dashboards = SavedDashboards(engine)
    new = dashboards.create("Likes ü", "anna", TILES)
    assert dashboards.get(new.id) == new
    assert (new.version, json.loads(new.specification)) == (1, json.loads(TILES))
    other = dashboards.create("Clicks", "ben", "{}")
    assert dashboards.list() == [other, new]
    assert dashboards.list(owner="anna") == [new]


def test_a_save_based_on_an_old_version_is_refused(engine: Engine) -> None:
    dashboards = SavedDashboards(engine)
    new = dashboards.create("Likes", "anna", "{}")
    saved = dashboards.save(new.id, 1, "Likes by day", TILES)
    assert (saved.version, saved.title, saved.created_at) == (2, "Likes by day", new.created_at)
    with pytest.raises(ChangedMeanwhileError, match="version 2 is stored; read it again") as error:
        dashboards.save(new.id, 1, "Likes by hour", "{}")
    assert error.value.stored_version == 2
    assert dashboards.get(new.id) == saved


def test_of_saves_at_once_one_is_taken(engine: Engine) -> None:
    dashboards = SavedDashboards(engine)
    new = dashboards.create("Likes", "anna", "{}")

    def save(number: int) -> bool:
        try:
            dashboards.save(new.id, 1, f"Likes {number}", "{}")
        except ChangedMeanwhileError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(save, range(8)))
    assert sum(taken) == 1
    assert dashboards.get(new.id).title == f"Likes {taken.index(True)}"


def test_a_dashboard_that_was_deleted_is_unknown(engine: Engine) -> None:
    dashboards = SavedDashboards(engine)
    new = dashboards.create("Likes", "anna", "{}")
    dashboards.delete(new.id)
    assert dashboards.list() == []
    for ask in (
        lambda: dashboards.get(new.id),
        lambda: dashboards.delete(new.id),
        lambda: dashboards.save(new.id, 1, "Likes", "{}"),
    ):
        with pytest.raises(UnknownDashboardError, match=new.id):
            ask()


@pytest.mark.parametrize(
    ("title", "specification", "said"),
    [
        ("", "{}", "the title '' is empty"),
        ("a\nb", "{}", "not printable"),
        ("t" * 201, "{}", "longer than 200"),
        ("Likes", "{", "no JSON document"),
        ("Likes", "[]", "no JSON object"),
        ("Likes", '{"a": "\ud800"}', "no JSON document"),
        ("Likes", '{"a": NaN}', "no JSON document"),
        ("Likes", '{"a": "' + "x" * LARGEST_SPECIFICATION + '"}', "larger than 256 KiB"),
        ("Likes", '{"a": ' + "[" * 100_000, "no JSON document"),
    ],
    ids=["no title", "lines", "long", "cut", "list", "surrogate", "nan", "large", "deep"],
)
def test_what_cannot_be_saved_is_refused(
    engine: Engine, title: str, specification: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        SavedDashboards(engine).create(title, "anna", specification)
    assert SavedDashboards(engine).list() == []
