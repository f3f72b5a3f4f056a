"""Asks ClickHouse for the documents of a search.

Belongs here: the order of the queries, and those of a page. Which documents match is read from the
text index alone; what orders them from small columns of the newest matches (`relevance`); their
texts for one page only. Texts of people are parameters of the queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from social_assets.serving.search.conditions import TokenCondition, condition_of
from social_assets.serving.search.engagement import with_engagement
from social_assets.serving.search.found import MOST_COUNTED, FoundDocument, FoundDocuments
from social_assets.serving.search.places import (
    AT_PLACES,
    BY_TIME,
    PLACE,
    Match,
    place_parameters,
)
from social_assets.serving.search.question import Order, Search, nothing_to_find
from social_assets.serving.search.relevance import by_relevance
from social_assets.serving.search.snippets import snippet_of
from social_assets.serving.search.terms import MOST_BEGINNING, Term, terms_of
from social_assets.warehouse.search_tables import DOCUMENTS, folded, words

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MOST_BY_ENGAGEMENT = 1_000
"""The newest matches that are ordered by engagement."""


def find(client: Client, search: Search, after: Sequence[str | int] = ()) -> FoundDocuments:
    """A page of documents; `after` is the place of the page, as the page before tells it.

    Raises SearchError if the text has no word, and clickhouse-connect's errors.
    """
    terms = terms_of(client, search.clauses)
    if all(term.clause.is_excluded for term in terms):
        raise nothing_to_find()
    if search.accounts is not None and not search.accounts:
        return FoundDocuments((), None, 0, is_total_exact=True, ranked=None)
    condition = condition_of(search, terms)
    total = _total(client, search, condition)
    following: tuple[str | int, ...] | None = None
    ranked: int | None = None
    page: list[Match] = []
    if total and search.order is Order.NEWEST:
        page = _newest(client, condition, after, search.limit + 1)
        following = page[search.limit - 1].place if len(page) > search.limit else None
    elif total:
        page, following, ranked = _ranked(client, search, terms, condition, after)
    return FoundDocuments(
        _documents(client, search, terms, page[: search.limit]),
        following,
        min(total, MOST_COUNTED),
        is_total_exact=total <= MOST_COUNTED,
        ranked=ranked if total > (ranked or 0) else None,
        notes=tuple(_note(term) for term in terms if term.is_cut and search.scope is None),
    )


def _note(term: Term) -> str:
    """For callers who see all accounts: others may not know how many words there are."""
    return (
        f"More than {MOST_BEGINNING} words begin with {term.in_order[-1]}: the most frequent count"
    )


def _total(client: Client, search: Search, condition: TokenCondition) -> int:
    """How many match. The index knows it; with a range it is counted up to a limit."""
    query = f"SELECT count() FROM {DOCUMENTS} WHERE {condition.sql}"
    if search.start is not None or search.end is not None:
        query = (
            f"SELECT count() FROM (SELECT 1 FROM {DOCUMENTS} WHERE {condition.sql}"
            f" LIMIT {MOST_COUNTED + 1})"
        )
    return int(client.query(query, parameters=condition.parameters).result_rows[0][0])


def _newest(
    client: Client, condition: TokenCondition, after: Sequence[str | int], count: int
) -> list[Match]:
    """The newest matches after a place: `count`, and those of the same moment as the last one."""
    where, parameters = condition.sql, dict(condition.parameters)
    if after:
        names = ("after_time", "after_id", "after_platform", "after_kind")
        parameters |= dict(zip(names, map(str, after), strict=True))
        before = "toDateTime64({after_time:String}, 6, 'UTC')"
        where += (
            f" AND event_time <= {before} AND (event_time, document_id, platform, kind) <"
            f" ({before}, {{after_id:String}}, {{after_platform:String}}, {{after_kind:String}})"
        )
    rows = client.query(
        f"SELECT {PLACE} FROM {DOCUMENTS} WHERE {where}\n"
        f"ORDER BY {BY_TIME} LIMIT {count} WITH TIES",
        parameters=parameters,
    ).result_rows
    return sorted((Match(*row) for row in rows), key=lambda each: each.place, reverse=True)


def _ranked(
    client: Client,
    search: Search,
    terms: Sequence[Term],
    condition: TokenCondition,
    after: Sequence[str | int],
) -> tuple[list[Match], tuple[str | int, ...] | None, int]:
    """A page of the newest matches by their rank, and how many matches are ranked.

    The place of a page is how many come before it, and since when documents do not count: so that
    what is written meanwhile does not move the pages.
    """
    offset, latest = (int(after[0]), str(after[1])) if after else (0, "")
    if latest:
        condition.add_time("<=", latest)
    if search.order is Order.RELEVANCE:
        found = by_relevance(client, search, terms, condition)
    else:
        found = with_engagement(client, _newest(client, condition, (), MOST_BY_ENGAGEMENT))
    latest = latest or max((each.written_at for each in found), default="")
    end = offset + search.limit
    return found[offset:end], None if end >= len(found) else (end, latest), len(found)


def _documents(
    client: Client, search: Search, terms: Sequence[Term], page: Sequence[Match]
) -> tuple[FoundDocument, ...]:
    """The texts of a page, in its order. A phrase that a text does not have word by word is out."""
    if not page:
        return ()
    parameters: dict[str, Any] = {**place_parameters(page)}
    texts = f"SELECT * EXCEPT (tokens, repeated) FROM {DOCUMENTS} WHERE {AT_PLACES}"
    exact = ["1"]
    for number, term in enumerate(term for term in terms if term.is_phrase):
        parameters[f"phrase_{number}"] = list(term.in_order)
        negation = "NOT " if term.clause.is_excluded else ""
        exact.append(f"{negation}hasSubstr(in_order, {{phrase_{number}:Array(String)}})")
    if len(exact) > 1:
        texts = f"SELECT *, {folded('content')} AS plain FROM ({texts})"
        texts = f"SELECT *, {words('plain')} AS in_order FROM ({texts})"
    rows = client.query(
        f"SELECT {PLACE}, account_id, post_id, toValidUTF8(content), score, label\n"
        f"FROM ({texts})\nWHERE {' AND '.join(exact)}",
        parameters=parameters,
    ).result_rows
    known = {tuple(row[:4]): row[4:] for row in rows}
    return tuple(
        _document(each, known[each.place], search, terms) for each in page if each.place in known
    )


def _document(
    candidate: Match, row: Sequence[Any], search: Search, terms: Sequence[Term]
) -> FoundDocument:
    account_id, post_id, content, score, label = row
    return FoundDocument(
        kind=candidate.kind,
        platform=candidate.platform,
        document_id=candidate.document_id,
        account_id=account_id,
        post_id=post_id,
        written_at=datetime.fromisoformat(candidate.written_at).replace(tzinfo=UTC),
        snippet=snippet_of(content.strip(), terms),
        score=None if score is None else round(float(score), 4),
        label=label or None,
        relevance=round(candidate.rank, 4) if search.order is Order.RELEVANCE else None,
        engagement=int(candidate.rank) if search.order is Order.ENGAGEMENT else None,
    )
