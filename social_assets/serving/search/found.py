"""What a search has found.

Belongs here: the documents of a page and what is known of them, for API, command line and pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MOST_COUNTED = 10_000
"""Documents are counted up to here; beyond it the answer says that there are more."""


@dataclass(frozen=True)
class Snippet:
    """A part of a text, and the parts of it that match: begin and end in characters."""

    text: str
    marks: tuple[tuple[int, int], ...]
    is_cut_before: bool
    is_cut_after: bool


@dataclass(frozen=True)
class FoundDocument:
    """A post or comment that a search has found."""

    kind: str
    platform: str
    document_id: str
    account_id: str
    post_id: str
    written_at: datetime
    snippet: Snippet
    score: float | None
    """Sentiment from -1 to 1; None: it is not scored."""
    label: str | None
    relevance: float | None
    """BM25; None if the order is another one."""
    engagement: int | None
    """Reactions; None if the order is another one."""


@dataclass(frozen=True)
class FoundDocuments:
    """One page."""

    documents: tuple[FoundDocument, ...]
    following: tuple[str | int, ...] | None
    """The place of the next page; None on the last one."""
    total: int
    is_total_exact: bool
    ranked: int | None
    """How many of the newest matches were ranked; None: the order is by time."""
    notes: tuple[str, ...] = ()
