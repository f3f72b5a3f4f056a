"""A chain under way: where it is, what it has noted, how it ends.

Belongs here: the state of one chain. Asking for its pages belongs to `client`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from social_assets.ingest.connectors.chain import ChainEnd, ChainStart
from social_assets.ingest.connectors.connector import ApiEndpoint
from social_assets.ingest.connectors.declaration.paging import WhileNext
from social_assets.ingest.connectors.engine.marks import ChainPosition, newer
from social_assets.ingest.connectors.errors import AccountGoneError, PlatformDownError

_MOST_NOTES = 50
_MOST_BEGINS = 3


@dataclass
class ChainUnderWay:
    """A chain under way. `asked` are the cursors that were followed since it began."""

    start: ChainStart
    endpoint: ApiEndpoint
    position: ChainPosition
    without_metrics: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    asked: set[str | None] = field(default_factory=set)
    begins: int = 0
    halved: int = 0
    """How often the number of records in a page was halved."""

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes and len(self.notes) < _MOST_NOTES:
            self.notes.append(text)

    def can_halve(self) -> bool:
        """Whether a page can hold fewer records; then it does from now on."""
        paging = self.endpoint.paging
        if not isinstance(paging, WhileNext) or paging.size not in self.endpoint.query:
            return False
        if not int(self.endpoint.query[paging.size]) >> (self.halved + 1):
            return False
        self.halved += 1
        self.note("pages were too large for the platform: fewer records were asked for")
        return True

    def begin_again(self) -> None:
        """Forget the cursor, which has expired. Records that come twice are the same rows.

        Raises PlatformDownError if cursors expire again and again.
        """
        self.begins += 1
        if self.begins > _MOST_BEGINS:
            raise PlatformDownError(
                self.start,
                f"cursors expired {self.begins} times before the chain was complete",
                "it is asked again at the next collection",
            )
        self.note("the cursor had expired: the chain began again")
        self.position = ChainPosition(newest=self.position.newest)
        self.asked = {None}

    def end(self, *, is_complete: bool) -> ChainEnd:
        """The end of the chain here."""
        since, newest = self.start.since, self.position.newest
        return ChainEnd(
            newer(self.endpoint.since, since, newest) if is_complete else since,
            None if is_complete else self.position.text(),
            is_complete,
            tuple(self.notes),
            tuple(self.gone),
        )


def gone(start: ChainStart, told: str) -> AccountGoneError:
    """The error for an account that does not exist."""
    return AccountGoneError(
        start, f"the account does not exist: {told}", "check its name, or untrack it"
    )
