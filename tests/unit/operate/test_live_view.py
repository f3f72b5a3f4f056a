"""The text of the live demonstration's page."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from social_assets.demo.live.figures import Rollup, ShownFigures, StreamFigures
from social_assets.demo.live.freshness import Delays
from social_assets.demo.live.view import Moment, line, page

MOMENT = Moment(
    elapsed=12.0,
    ui="http://127.0.0.1:3000",
    rate=200,
    sent={"posts": 1_234},
    held_back=0,
    figures=ShownFigures(
        streams={"posts": StreamFigures(end=1_234, lag=34, accepted=1_150)},
        by_metric=(Rollup("view", 900), Rollup("like", 90)),
        by_platform=(Rollup("X", 7),),
        counted=990,
    ),
    behind=0.7,
    delays=Delays(0.61, 1.25, 2.0, 990),
)


def drawn(moment: Moment) -> str:
    console = Console(width=120, file=StringIO())
    with console.capture() as capture:
        console.print(page(moment))
    return capture.get()


def test_the_page_says_that_the_broker_keeps_nothing_and_where_the_ui_is() -> None:
    text = " ".join(drawn(MOMENT).replace("│", " ").split())
    assert "The broker lives in this process and keeps nothing" in text
    assert "http://127.0.0.1:3000" in text


def test_a_topic_shows_what_was_sent_read_accepted_and_quarantined() -> None:
    (row,) = [text.split() for text in drawn(MOMENT).splitlines() if text.startswith("posts")]
    assert row == ["posts", "1,234", "1,200", "34", "1,150", "50"]


def test_the_rollups_and_the_freshness_are_on_the_page() -> None:
    text = drawn(MOMENT)
    assert "p50 0.61 s, p95 1.25 s" in text
    assert "view" in text
    assert "900" in text


def test_without_a_terminal_a_line_says_the_same() -> None:
    text = line(MOMENT)
    assert "sent 1,234  lag 34  accepted 1,150  in engagement_hourly 990" in text
    assert "p50 0.61 s" in text
