"""First paint and complete figures of each dashboard, in Chromium on loopback.

`python -m bench.serving.first_paint http://127.0.0.1:8080/?token=...` prints the milliseconds of a
server that runs: give the address that `social-assets serve --print-url` prints.
"""

from __future__ import annotations

import sys

from playwright.sync_api import Page, sync_playwright

from social_assets.serving.dashboards.registry import dashboards

CHROMIUM = "/usr/bin/chromium"
TARGET_MS = 1_500
_PAINT = """() => performance.getEntriesByType('paint')
  .find((entry) => entry.name === 'first-contentful-paint')?.startTime ?? -1"""


def main(login: str) -> None:
    """Print a line a dashboard."""
    address = login.partition("?")[0].rstrip("/")
    print(f"{'dashboard':28}{'first paint':>12}{'all figures':>14}")
    worst = 0.0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for dashboard in dashboards():
            # A context of its own: its cache is empty.
            context = browser.new_context()
            page = context.new_page()
            page.goto(login)
            page.wait_for_selector("h1:has-text('Dashboards')")
            paint, complete = _measured(page, f"{address}/dashboards/{dashboard.name}")
            worst = max(worst, paint)
            print(f"{dashboard.name:28}{paint:9.0f} ms{complete:11.0f} ms")
            context.close()
        browser.close()
    print(f"worst first paint: {worst:.0f} ms (target {TARGET_MS} ms)")


def _measured(page: Page, url: str) -> tuple[float, float]:
    page.goto(url)
    page.wait_for_selector("body[data-loads]")
    return float(page.evaluate(_PAINT)), float(page.evaluate("performance.now()"))


if __name__ == "__main__":
    main(sys.argv[1])
