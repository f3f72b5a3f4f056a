"""`social-assets search`: posts and comments by their text.

Belongs here: reading the options and printing. What is found belongs to `serving.search`.
"""

from __future__ import annotations

import csv
import io
import sys
from typing import TYPE_CHECKING

import click

from resources.settings.home import Home
from social_assets.cli.home_use import reads_warehouse
from social_assets.cli.printing.json_text import as_json
from social_assets.cli.printing.row_table import RowTable
from social_assets.cli.printing.terminal import echo, screen_width

if TYPE_CHECKING:
    from social_assets.serving.search.found import FoundDocument, FoundDocuments

_COLUMNS = ("written_at", "kind", "platform", "account", "id", "sentiment", "text")
_OPTIONS = {"q": "QUERY", "start": "--from", "sort": "--sort"}
_MARK = ("[", "]")
"""What is put around matches in a table."""


@click.command(short_help="Find posts and comments by their text.")
@click.argument("words", metavar="QUERY", nargs=-1, required=True)
@click.option("--platform", multiple=True, help="Only this platform. May be repeated.")
@click.option("--account", multiple=True, metavar="PLATFORM:ID", help="Only posts of this account.")
@click.option("--kind", multiple=True, help="post or comment. Default: both.")
@click.option("--sentiment", multiple=True, help="negative, neutral or positive.")
@click.option("--from", "start", default="", help="First day, or a time: 2026-11-01T09:00.")
@click.option("--to", "end", default="", help="Last day, which counts; or a time, which does not.")
@click.option("--range", "preset", default="", help="last_7_days, yesterday ... Default: all time.")
@click.option("--zone", default="", help="Time zone of days. Default: UTC.")
@click.option(
    "--sort",
    default="relevance",
    show_default=True,
    help="What comes first: relevance, newest or engagement.",
)
@click.option("--limit", type=int, default=20, show_default=True, help="Most results, up to 100.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="json: one JSON document on standard output.",
)
@reads_warehouse
def search(
    home: Home,
    /,
    words: tuple[str, ...],
    form: str,
    limit: int,
    **given: str | tuple[str, ...],
) -> None:
    """Find posts and comments that have every word of QUERY.

    QUERY may have "exact phrases", beginnings (rain*), #hashtags and @mentions. Put
    quotes around it to leave a word out: 'river -winter'. A table shows matches in brackets.
    """
    from social_assets.operate.search import found_by
    from social_assets.serving.search.question import SearchError, SearchTexts

    del home
    texts = SearchTexts(
        " ".join(words),
        platforms=tuple(given["platform"]),
        accounts=tuple(given["account"]),
        kinds=tuple(given["kind"]),
        labels=tuple(given["sentiment"]),
        start=str(given["start"]),
        end=str(given["end"]),
        range=str(given["preset"]),
        zone=str(given["zone"]),
        order=str(given["sort"]),
        limit=limit,
    )
    try:
        found = found_by(texts)
    except SearchError as error:
        called = _OPTIONS.get(error.parameter, f"--{error.parameter}")
        raise click.UsageError(f"{called}: {error.problem}. {error.remedy}") from error
    {"table": _print_table, "json": _print_json, "csv": _print_csv}[form](found)
    sys.stdout.flush()


def _print_table(found: FoundDocuments) -> None:
    if not found.total:
        echo("nothing is found; use fewer words, a longer range, or begin* for words that begin so")
        return
    written = io.StringIO()
    table = RowTable(_COLUMNS, screen_width(), written.write)
    table.add([_row(each, _marked(each)) for each in found.documents])
    table.end()
    echo(f"{written.getvalue()}\n{_foot(found)}")


def _row(each: FoundDocument, text: str) -> tuple[object, ...]:
    written_at = each.written_at.strftime("%Y-%m-%d %H:%M")
    account = each.account_id
    return (written_at, each.kind, each.platform, account, each.document_id, each.label, text)


def _marked(each: FoundDocument) -> str:
    """The snippet on one line, with its matches in brackets."""
    snippet, place, parts = each.snippet, 0, []
    for begin, end in snippet.marks:
        parts += [snippet.text[place:begin], _MARK[0], snippet.text[begin:end], _MARK[1]]
        place = end
    text = " ".join("".join([*parts, snippet.text[place:]]).split())
    return f"{'… ' if snippet.is_cut_before else ''}{text}{' …' if snippet.is_cut_after else ''}"


def _foot(found: FoundDocuments) -> str:
    more = "" if found.is_total_exact else "more than "
    lines = [f"{len(found.documents)} of {more}{found.total:,} matches"]
    if found.ranked is not None:
        lines.append(f"the newest {found.ranked:,} matches were ordered")
    return "\n".join([*lines, *found.notes])


def _print_json(found: FoundDocuments) -> None:
    echo(
        as_json(
            {
                "results": [_document(each) for each in found.documents],
                "total": found.total,
                "is_total_exact": found.is_total_exact,
                "ranked": found.ranked,
                "notes": list(found.notes),
            }
        )
    )


def _document(each: FoundDocument) -> dict[str, object]:
    return {
        "kind": each.kind,
        "platform": each.platform,
        "id": each.document_id,
        "account_id": each.account_id,
        "post_id": each.post_id,
        "written_at": each.written_at.isoformat(),
        "text": each.snippet.text,
        "marks": [list(mark) for mark in each.snippet.marks],
        "sentiment": each.score,
        "sentiment_label": each.label,
        "relevance": each.relevance,
        "engagement": each.engagement,
    }


def _print_csv(found: FoundDocuments) -> None:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_row(each, each.snippet.text) for each in found.documents)
    click.echo(written.getvalue(), nl=False)
