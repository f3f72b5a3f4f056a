"""The HTML of the pages: a shell with controls and empty tiles, which the script fills.

Belongs here: the markup. Everything that comes from data is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import dedent

from social_assets.control.dashboards import SavedDashboard
from social_assets.serving.charts.tile import Chart
from social_assets.serving.dashboards.dashboard import GRAINS, AnyTile, Dashboard, PageFilter

_RANGES = (
    ("last_24_hours", "Last 24 hours"),
    ("today", "Today"),
    ("yesterday", "Yesterday"),
    ("last_7_days", "Last 7 days"),
    ("last_14_days", "Last 14 days"),
    ("last_30_days", "Last 30 days"),
    ("last_90_days", "Last 90 days"),
    ("last_365_days", "Last 365 days"),
    ("custom", "Choose dates"),
)
_GRAIN_WORDS = {"hour": "Hours", "day": "Days", "week": "Weeks", "month": "Months"}


_WITH_CHARTS = ("page.js", "builder.js")


@dataclass(frozen=True)
class Shell:
    """What all pages share."""

    digest: str
    """Names the content of scripts and styles."""
    refresh_seconds: float


def index_page(shell: Shell, declared: Iterable[Dashboard], saved: Sequence[SavedDashboard]) -> str:
    """The list of all dashboards."""
    cards = "".join(
        f'<li><a class="card" href="/dashboards/{escape(each.name)}"><strong>{escape(each.title)}'
        f"</strong><span>{escape(each.description)}</span></a></li>"
        for each in declared
    )
    own = "".join(
        f'<li><a class="card" href="/dashboards/saved/{escape(each.id)}"><strong>'
        f"{escape(each.title)}</strong><span>Saved {each.updated_at:%Y-%m-%d %H:%M} UTC</span>"
        "</a></li>"
        for each in saved
    )
    nothing = "<p>None yet. Choose metrics, and save them as a dashboard of your own.</p>"
    main = (
        f'<h1>Dashboards</h1><ul class="cards">{cards}</ul><h2>Saved dashboards</h2>'
        f'{f"""<ul class="cards">{own}</ul>""" if own else nothing}'
        '<p><a class="button" href="/dashboards/new">Compose a dashboard</a></p>'
    )
    return html_page(shell, "Dashboards", main, script="")


def dashboard_page(
    shell: Shell, dashboard: Dashboard, urls: Sequence[str], saved: SavedDashboard | None
) -> str:
    """One dashboard. `urls` are where the data of each tile is."""
    tiles = "".join(_tile(tile, url) for tile, url in zip(dashboard.tiles, urls, strict=True))
    options = (
        f"/api/v1/dashboards/options/saved/{{dimension}}?id={saved.id}&"
        if saved
        else f"/api/v1/dashboards/options/{dashboard.name}/{{dimension}}?"
    )
    edit = (
        f'<a class="button" href="/dashboards/saved/{escape(saved.id)}/edit">Edit</a>'
        if saved
        else ""
    )
    note = f"<p>{escape(dashboard.description)}</p>" if dashboard.description else ""
    main = (
        f'<div class="head"><div><h1>{escape(dashboard.title)}</h1>{note}</div>{edit}</div>'
        f"{_controls(dashboard)}"
        f'<div class="tiles" id="tiles" data-options="{escape(options)}"'
        f' data-range="{escape(dashboard.range)}" data-grain="{dashboard.grain.word}">{tiles}</div>'
        f"{_DRILL}"
    )
    return html_page(shell, dashboard.title, main, script="page.js", current=dashboard.name)


def builder_page(shell: Shell, saved: SavedDashboard | None) -> str:
    """The page on which a person composes a dashboard."""
    title = "Edit the dashboard" if saved else "Compose a dashboard"
    specification = escape(saved.specification) if saved else ""
    name = escape(saved.title) if saved else ""
    main = dedent(
        f"""\
        <h1>{title}</h1>
        <form id="builder" data-id="{escape(saved.id) if saved else ""}"
          data-version="{saved.version if saved else 0}" data-dashboard="{specification}"
          novalidate>
          <p class="field"><label for="name">Name of the dashboard</label>
            <input id="name" maxlength="200" required value="{name}" autocomplete="off"></p>
          <div id="builder-tiles"></div>
          <p class="actions"><button type="button" class="button" id="add">Add a tile</button>
            <button class="button primary">Save</button>
            <button type="button" class="button" id="save-as" hidden>Save as a new one</button>
            <button type="button" class="button danger" id="delete"
              {"" if saved else "hidden"}>Delete</button></p>
          <p id="builder-message" role="alert"></p>
        </form>"""
    )
    return html_page(shell, title, main, script="builder.js")


_DRILL = (
    '<dialog id="drill" aria-labelledby="drill-title"><div class="drill-head">'
    '<h2 id="drill-title"></h2><button type="button" class="button" id="drill-close">Close'
    '</button></div><div id="drill-body"></div></dialog><div id="tip" hidden></div>'
)


def _controls(dashboard: Dashboard) -> str:
    ranges = "".join(f'<option value="{v}">{text}</option>' for v, text in _RANGES)
    grains = "".join(f'<option value="{g.word}">{_GRAIN_WORDS[g.word]}</option>' for g in GRAINS)
    has_time = any(
        tile.chart.is_over_time or tile.chart is Chart.NUMBER for tile in dashboard.tiles
    )
    grain = f'<label>By <select name="grain">{grains}</select></label>' if has_time else ""
    filters = "".join(_filter(each) for each in dashboard.filters)
    return (
        '<form id="controls" class="controls" aria-label="Range and filters">'
        f'<label>Range <select name="range">{ranges}</select></label>'
        '<span class="dates" hidden><label>From <input type="date" name="from"></label>'
        '<label>To <input type="date" name="to"></label></span>'
        f'{grain}<label>Time zone <select name="zone"><option value="UTC">UTC</option></select>'
        f"</label>{filters}"
        '<span class="state"><span id="updated"></span>'
        '<button type="button" class="button" id="refresh">Refresh</button></span></form>'
    )


def _filter(each: PageFilter) -> str:
    name, title = escape(each.dimension), escape(each.title)
    kind = "single" if each.is_single else "many"
    return (
        f'<details class="filter" data-dimension="{name}" data-kind="{kind}" data-title="{title}">'
        f'<summary>{title}: <span class="chosen">all</span></summary><div class="choices">'
        f'<label class="find">Find <input type="search" autocomplete="off"></label>'
        f'<fieldset><legend>{title}</legend><div class="list">Loading…</div></fieldset>'
        '<button type="button" class="button clear">Clear</button></div></details>'
    )


def _tile(tile: AnyTile, url: str) -> str:
    name, title = escape(tile.name), escape(tile.title)
    can_switch = tile.chart not in (Chart.TABLE, Chart.NUMBER)
    switch = (
        '<button type="button" class="icon to-table" aria-pressed="false"'
        f' aria-label="Show {title} as a table">Table</button>'
        if can_switch
        else ""
    )
    is_number = tile.chart is Chart.NUMBER
    csv = (
        f'<a class="icon csv" download="{name}.csv" href="#" aria-label="Download {title} as CSV">'
    )
    return (
        f'<article class="tile {tile.chart.value} width-{tile.width}" id="tile-{name}"'
        f' data-name="{name}" data-url="{escape(url)}" data-drill="{escape(tile.drill)}"'
        f' aria-labelledby="title-{name}" aria-busy="true">'
        f'<header><h2 id="title-{name}">{title}</h2><p class="mark" role="img" hidden></p>'
        f'<div class="tools">{switch}'
        f"{'' if is_number else csv + 'CSV</a>'}"
        f'<button type="button" class="icon" popovertarget="about-{name}"'
        f' aria-label="About {title}">Info</button></div></header>'
        f'<div class="about" id="about-{name}" popover><div class="about-text"></div>'
        f"{csv + 'Download as CSV</a>' if is_number else ''}</div>"
        '<div class="body"><p class="loading">Loading…</p></div>'
        '<p class="problem" role="status"></p></article>'
    )


def html_page(shell: Shell, title: str, main: str, *, script: str, current: str = "") -> str:
    """A page: its head, the links to other pages, and the content."""
    from social_assets.serving.dashboards.registry import dashboards

    base = f"/dashboards/assets/{shell.digest}"
    vega = f'<script src="{base}/vega.js" type="module" async id="vega"></script>'
    own = f'<script src="{base}/{script}" type="module"></script>' if script else ""
    scripts = f"{vega if script in _WITH_CHARTS else ''}{own}"
    searching = ' aria-current="page"' if current == "search" else ""
    links = "".join(
        f'<a href="/dashboards/{escape(each.name)}"'
        f"{' aria-current=' + chr(34) + 'page' + chr(34) if each.name == current else ''}>"
        f"{escape(each.title)}</a>"
        for each in dashboards()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} · social-assets</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<link rel="stylesheet" href="{base}/style.css">'
        f'<link rel="icon" href="{base}/icon.svg" type="image/svg+xml">'
        f"{scripts}</head>"
        f'<body data-assets="{base}" data-refresh="{shell.refresh_seconds:g}">'
        '<a class="skip" href="#main">Skip to the content</a>'
        '<header class="top"><a class="brand" href="/">social-assets</a>'
        '<details class="nav"><summary>Dashboards</summary><nav aria-label="Dashboards">'
        f'{links}<a href="/dashboards/new">Compose a dashboard</a></nav></details>'
        f'<a href="/search"{searching}>Search</a></header>'
        f'<main id="main" tabindex="-1">{main}</main></body></html>'
    )
