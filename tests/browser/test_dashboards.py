"""A person with a browser: every dashboard, its range, filters, drills, exports, own dashboards."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from social_assets.serving.dashboards.registry import dashboards
from tests.browser.conftest import Watched

pytestmark = pytest.mark.browser

NAMES = [each.name for each in dashboards()]
PATHS = [f"/dashboards/{name}" for name in NAMES]
WHOLE = "range=last_90_days"


@pytest.mark.parametrize("name", NAMES)
def test_every_tile_of_a_dashboard_shows_its_figures(watched: Watched, name: str) -> None:
    page = watched.open(f"/dashboards/{name}?{WHOLE}")
    expect(page.locator(".problem:not(:empty)")).to_have_count(0)
    for tile in page.locator(".tile").all():
        expect(tile.locator("svg, table, .value, .empty").first).to_be_visible()
    # Nothing was rejected, and nothing has a raw record, in a warehouse that was filled directly.
    empty = 2 if name == "platform_health" else 0
    expect(page.locator(".tile .empty")).to_have_count(empty)


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_fits_a_phone(watched: Watched, name: str) -> None:
    watched.page.set_viewport_size({"width": 360, "height": 740})
    page = watched.open(f"/dashboards/{name}?{WHOLE}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_range_and_filter_are_in_the_url_and_go_back(watched: Watched) -> None:
    page = watched.open("/dashboards/engagement_by_platform")
    number = page.locator("#tile-engagement .value")
    before = number.inner_text()
    page.locator("select[name=range]").select_option("last_90_days")
    page.wait_for_url(re.compile("range=last_90_days"))
    page.locator(".filter[data-dimension=platform] summary").click()
    page.get_by_label("TikTok", exact=True).check()
    page.wait_for_url(re.compile("f.platform=TikTok"))
    expect(page.locator("#tile-rates tbody tr")).to_have_count(1)
    page.go_back()
    page.go_back()
    expect(number).to_have_text(before)


def test_dates_of_ones_own_are_a_range(watched: Watched) -> None:
    page = watched.open("/dashboards/engagement_by_platform")
    page.locator("select[name=range]").select_option("custom")
    day = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    page.locator("input[name=from]").fill(day)
    page.wait_for_url(re.compile(f"from={day}"))
    watched.wait_for_load()
    expect(page.locator(".problem:not(:empty)")).to_have_count(0)


def test_a_bar_leads_to_its_posts_and_to_a_post(watched: Watched) -> None:
    page = watched.open(f"/dashboards/engagement_by_platform?{WHOLE}")
    page.locator("#tile-totals svg .mark-rect path").first.click()
    expect(page.locator("#drill")).to_be_visible()
    link = page.locator("#drill-body a").first
    post = link.inner_text()
    link.click()
    page.wait_for_url(re.compile("/dashboards/post_detail"))
    watched.wait_for_load()
    expect(page.locator(".filter[data-dimension=post] .chosen")).to_have_text(post)


def test_a_chart_is_also_a_table_whose_rows_lead_on_by_keyboard(watched: Watched) -> None:
    page = watched.open(f"/dashboards/engagement_by_platform?{WHOLE}")
    page.get_by_role("button", name="Show Engagement, and the period before as a table").focus()
    page.keyboard.press("Enter")
    button = page.locator("#tile-totals table button").first
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#drill")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drill")).to_be_hidden()


def test_a_tile_is_exported_as_csv(watched: Watched) -> None:
    page = watched.open(f"/dashboards/engagement_by_platform?{WHOLE}")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download Rates by platform as CSV").click()
    lines = Path(started.value.path()).read_text().splitlines()
    assert lines[0].startswith("platform,engagement,unique_users")
    assert len(lines) == 1 + page.locator("#tile-rates tbody tr").count()


def test_a_tile_says_its_formula_and_what_was_read(watched: Watched) -> None:
    page = watched.open(f"/dashboards/engagement_by_platform?{WHOLE}")
    page.get_by_role("button", name="About Rates by platform").click()
    about = page.locator("#about-rates")
    for text in ("Formula", "Denominator", "rollups.", "Rows read", "Newest event"):
        expect(about).to_contain_text(text)


def test_a_refresh_shows_new_events_without_an_empty_moment(watched: Watched) -> None:
    page = watched.open("/dashboards/engagement_by_platform?range=last_7_days")
    number = page.locator("#tile-events .value")
    before = number.inner_text()
    page.evaluate(
        """() => {
          window.emptied = 0;
          new MutationObserver(() => {
            for (const body of document.querySelectorAll(".tile .body"))
              if (!body.childElementCount) window.emptied += 1;
          }).observe(document.getElementById("tiles"), { childList: true, subtree: true });
        }"""
    )
    watched.site.warehouse.stream(
        "engagement_events",
        *[
            {
                "event_id": f"refresh-{number}-{datetime.now(UTC).timestamp()}",
                "event_time": datetime.now(UTC) - timedelta(minutes=1),
                "platform": "TikTok",
                "account_id": "1",
                "post_id": "p1",
                "user_id": "1",
                "metric_type": "like",
                "value": 1.0,
            }
            for number in range(50)
        ],
    )
    expect(number).not_to_have_text(before, timeout=20_000)
    assert page.evaluate("window.emptied") == 0


def test_a_dashboard_of_ones_own_is_composed_saved_and_changed(watched: Watched) -> None:
    page = watched.page
    page.goto(watched.site.url("/dashboards/new"))
    page.get_by_label("Name of the dashboard").fill("My <likes> & views")
    page.get_by_label("Metrics").select_option(["likes"])
    page.get_by_label("Chart").select_option("bars")
    page.get_by_label("Divided by").select_option("platform")
    expect(page.locator(".preview svg")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile("/dashboards/saved/[0-9a-f]+$"))
    watched.wait_for_load()
    expect(page.locator("h1")).to_have_text("My <likes> & views")
    expect(page.locator(".tile svg")).to_be_visible()
    page.goto(watched.site.url("/"))
    expect(page.get_by_role("link", name="My <likes> & views")).to_be_visible()


def test_two_people_who_change_a_dashboard_are_told(watched: Watched) -> None:
    page = watched.page
    page.goto(watched.site.url("/dashboards/new"))
    page.get_by_label("Name of the dashboard").fill("Shared")
    page.get_by_label("Metrics").select_option(["likes"])
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile("/dashboards/saved/[0-9a-f]+$"))
    edit = f"{page.url}/edit"
    other = page.context.new_page()
    other.goto(edit)
    page.goto(edit)
    expect(page.locator(".preview svg")).to_be_visible()
    other.get_by_label("Name of the dashboard").fill("Shared, and changed")
    expect(other.locator(".preview svg")).to_be_visible()
    other.get_by_role("button", name="Save", exact=True).click()
    other.wait_for_url(re.compile("/dashboards/saved/[0-9a-f]+$"))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#builder-message")).to_contain_text("somebody else saved version 2")
    # Chromium reports the refused request in the console.
    watched.faults[:] = [fault for fault in watched.faults if "412" not in fault]
    page.get_by_role("button", name="Save as a new one").click()
    page.wait_for_url(re.compile("/dashboards/saved/[0-9a-f]+$"))


def test_a_wrong_range_says_what_is_wrong_and_offers_another_try(watched: Watched) -> None:
    page = watched.open("/dashboards/competitors?range=nonsense")
    expect(page.locator(".problem").first).to_contain_text("is no range")
    expect(page.get_by_role("button", name="Try again").first).to_be_visible()
    watched.faults[:] = [fault for fault in watched.faults if "400" not in fault]


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, installed by npm into a temporary folder."""
    folder = tmp_path_factory.mktemp("axe")
    shutil.copy(Path(__file__).parent / "package.json", folder)
    if shutil.which("npm") is None:
        pytest.skip("no npm, which installs axe-core")
    done = subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    source = folder / "node_modules/axe-core/axe.min.js"
    if not source.exists():
        pytest.skip(f"npm could not install axe-core: {done.stderr[-500:]}")
    return source.read_text()


@pytest.mark.parametrize(
    "path", [*(f"/dashboards/{name}" for name in NAMES), "/", "/dashboards/new"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_of_accessibility(
    watched: Watched, axe: str, path: str, scheme: str
) -> None:
    page = watched.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    if path in ("/", "/dashboards/new"):
        page.goto(watched.site.url(path))
    else:
        watched.open(f"{path}?{WHOLE}")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    faults = [
        {"rule": each["id"], "help": each["help"], "where": [n["html"] for n in each["nodes"]][:3]}
        for each in found["violations"]
    ]
    assert not faults, json.dumps(faults, indent=1)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_dashboard_of_experiments_says_what_to_do_and_why(watched: Watched, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 900})
    page = watched.open(f"/dashboards/experiments?{WHOLE}")
    row = page.locator("#tile-recommendations tbody tr", has_text="feed_order")
    expect(row).to_contain_text("ship newest")
    expect(row.locator("td.long")).to_contain_text("likes of newest +20.1%")
    chart = page.locator("#tile-lifts svg")
    expect(chart).to_be_visible()
    expect(chart.get_by_text("feed_order: Likes")).to_be_visible()
    expect(page.locator("#tile-lifts_over_time svg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1280])
def test_the_dashboard_of_forecasts_shows_bands_and_what_was_not_expected(
    watched: Watched, width: int
) -> None:
    watched.page.set_viewport_size({"width": width, "height": 900})
    page = watched.open("/dashboards/forecasts")
    for tile in ("by_day", "by_hour", "platforms_by_day"):
        expect(page.locator(f"#tile-{tile} svg")).to_be_visible()
    expect(page.locator("#tile-anomalies tbody tr", has_text="channel")).to_be_visible()
    expect(page.locator("#tile-models tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1280])
def test_the_dashboard_of_recommendations_shows_clicks_by_position(
    watched: Watched, width: int
) -> None:
    watched.page.set_viewport_size({"width": width, "height": 900})
    page = watched.open(f"/dashboards/recommendations?{WHOLE}")
    chart = page.locator("#tile-by_position svg")
    for position in ("01", "12"):
        expect(chart.get_by_text(position, exact=True)).to_be_visible()
    row = page.locator("#tile-table tbody tr", has_text="graph_filter")
    expect(row).to_contain_text("home_feed")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1280])
def test_the_dashboard_of_unusual_behaviour_lists_sessions_and_texts_with_evidence(
    watched: Watched, width: int
) -> None:
    watched.page.set_viewport_size({"width": width, "height": 900})
    page = watched.open(f"/dashboards/unusual_behaviour?{WHOLE}")
    texts = page.locator("#tile-listed_texts tbody tr")
    expect(texts.first).to_contain_text("YouTube")
    expect(texts.first.locator("td").first).to_have_text(re.compile(r"[0-9-]{10} 0\d:00:00"))
    expect(page.locator("#tile-listed_texts")).to_contain_text("prizes.example/win")
    sessions = page.locator("#tile-listed_sessions tbody tr", has_text="too_fast")
    expect(sessions.first).to_contain_text("TikTok")
    expect(page.locator("#tile-sessions_over_time svg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
