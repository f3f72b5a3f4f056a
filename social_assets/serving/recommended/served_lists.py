"""The lists of all users in memory: those of `recsys.top_n`, and above them those of users who have
newer interactions.

Belongs here: when they are read again, and what a user is answered. A read takes one query for the
state of the warehouse, and more only if that has changed. How a list is made belongs to
`recommend.fresh_lists`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from social_assets.lake.artifacts.publications import ArtifactStoreError
from social_assets.lake.storage.errors import LakeStoreError
from social_assets.recommend.candidates import required_champion
from social_assets.recommend.errors import RecommendError
from social_assets.recommend.fresh_lists import (
    SESSION,
    FreshLists,
    click_rows,
    fresh_lists,
    fresh_state,
    read_clicks,
)
from social_assets.recommend.list_rules import ServedRules
from social_assets.recommend.top_n import ITEMS_A_USER, TABLE
from social_assets.serving.asking.warehouse import WarehouseThreads
from social_assets.serving.recommended.explorer import Explorer, read_explorer
from social_assets.serving.recommended.lists import RankedItem, UserLists, moment, place_of
from social_assets.serving.settings import MOST_HELD

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client
    from numpy.typing import NDArray

    from recsys import LoadedModel

FRESH_SECONDS = 10.0
"""A request for which the lists are older has them read again, without waiting for it."""
LATEST_SECONDS = 30.0
"""A request for which they are older waits until they are read: an interaction is folded in within
60 seconds of its event, if the warehouse has it within half of that."""

NOTED_SECONDS = 900.0
"""How long a server remembers a click itself: by then it has been loaded."""

_MOST_CLICKS = 100_000
_MOST_READ_ALONE = 10_000
_log = logging.getLogger(__name__)

_COLUMNS = "SELECT name FROM system.columns WHERE concat(database, '.', table) = {table:String}"
_STATE = """
SELECT count(), max(computed_at), any(model), any(model_version), any(rules) FROM ({lists})
"""
_ROWS = """
SELECT user_id, toLowCardinality(item_id) AS item_id, score, model_rank, computed_at, history
FROM ({lists})
{only}
ORDER BY user_id, rank
"""
# The lists that were made last.
_HELD = f"""
WHERE user_id IN (
    SELECT user_id FROM {TABLE}
    WHERE rank = 1
    ORDER BY computed_at DESC, user_id
    LIMIT {{most:UInt64}}
)
"""
_OF_ONE = "WHERE user_id = {user:String}"
# Lists that an earlier release has made: without rules.
_LISTS = f"SELECT * FROM {TABLE}"
_LISTS_BEFORE = f"SELECT *, rank AS model_rank, '' AS rules FROM {TABLE}"


@dataclass(frozen=True)
class UserAnswer:
    """What a user is recommended, and where it comes from."""

    entries: list[RankedItem]
    source: str
    """`list`, `fold_in`, or `popularity` for a user of whom nothing is known."""
    computed_at: datetime
    folded_in: list[str]
    """The items of the newest interactions, newest first, that the served list does not have."""


@dataclass(frozen=True)
class TableState:
    """What tells one content of `recsys.top_n` from another."""

    rows: int
    made_at: datetime
    model: str
    version: str
    rules: str
    """Those by which the lists are made, as the table has them."""
    lists: str
    """The SELECT of the lists."""


@dataclass(frozen=True)
class ServedContent:
    """What was read at a time."""

    state: TableState
    lists: UserLists
    made_at: NDArray[np.int64]
    """When each list was made, microseconds since 1970."""
    served: pa.Table
    """user_id and history of each list."""
    model: LoadedModel | None
    """None if this machine does not have the artifact: nothing is folded in then."""
    popular: list[RankedItem]
    is_whole: bool
    """Whether the lists of all users are held."""
    rules: ServedRules
    explorer: Explorer | None
    fresh: UserLists
    folded: UserLists
    fresh_at: datetime
    fresh_of: object
    """The state of the interactions of which `fresh` was made."""

    def answer(self, user: str) -> UserAnswer:
        """The user's list."""
        if (place := self.fresh.place(user)) >= 0:
            folded = self.folded.place(user)
            items = [] if folded < 0 else [each.item_id for each in self.folded.entries(folded)]
            return UserAnswer(
                self.fresh.entries(place), "fold_in", self.fresh_at, [*dict.fromkeys(items)]
            )
        if (place := self.lists.place(user)) >= 0:
            made_at = moment(int(self.made_at[place]))
            return UserAnswer(self.lists.entries(place), "list", made_at, [])
        return UserAnswer(self.popular, "popularity", self.state.made_at, [])

    def items_of(self, user: str) -> list[str]:
        """What the model knows that the user has."""
        if self.model is None or (place := place_of(self.model.users, user)) < 0:
            return []
        lists = self.model.seen
        its = lists.indices[lists.indptr[place] : lists.indptr[place + 1]]
        found: list[str] = self.model.items.take(its).to_pylist()
        return found


class ServedLists:
    """The lists of a server. Used in one event loop; they are read in threads of the warehouse.

    At most `most_held` lists are held, those that were made last; another one is read when it is
    asked for, and the last of these are kept.
    """

    def __init__(self, warehouse: WarehouseThreads, most_held: int = MOST_HELD) -> None:
        self._warehouse = warehouse
        self._most_held = most_held
        self._read_alone: OrderedDict[tuple[TableState, str], UserAnswer | None] = OrderedDict()
        self._content: ServedContent | None = None
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._clicks: deque[tuple[float, tuple[str, str, datetime]]] = deque(maxlen=_MOST_CLICKS)

    def note_clicks(self, clicks: Iterable[tuple[str, str, datetime]]) -> None:
        """Fold in clicks that are stored, and that the warehouse does not have yet."""
        now = time.monotonic()
        self._clicks.extend((now, each) for each in clicks)

    def _noted(self) -> pa.Table:
        """The clicks of the last while. Older ones come from the warehouse; a person who is
        forgotten is gone from here as well then.
        """
        while self._clicks and time.monotonic() - self._clicks[0][0] > NOTED_SECONDS:
            self._clicks.popleft()
        return click_rows([click for _, click in self._clicks])

    async def current(self, request_id: str) -> ServedContent | None:
        """The lists; None if no recommender has been trained. Raises what the warehouse raises, if
        nothing has been read yet.
        """
        age = time.monotonic() - self._read_at
        if age > FRESH_SECONDS and self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read(request_id))
        if age > LATEST_SECONDS and self._reading is not None:
            await asyncio.shield(self._reading)
        return self._content

    async def answer(self, content: ServedContent, user: str, request_id: str) -> UserAnswer:
        """The user's list, of those that are held, or else of the warehouse."""
        found = content.answer(user)
        if content.is_whole or found.source != "popularity":
            return found
        key = (content.state, user)
        if key not in self._read_alone:
            self._read_alone[key] = await self._warehouse.run(
                lambda client: _read_one(client, content.state, user), request_id
            )
        alone = self._read_alone.get(key)
        if alone is not None:
            self._read_alone.move_to_end(key)
        while len(self._read_alone) > _MOST_READ_ALONE:
            self._read_alone.popitem(last=False)
        return found if alone is None else alone

    async def close(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None:
            with suppress(Exception):
                await self._reading

    async def _read(self, request_id: str) -> None:
        before, clicks = self._content, self._noted()
        try:
            self._content = await self._warehouse.run(
                lambda client: read_content(client, before, clicks, self._most_held), request_id
            )
            self._read_at = time.monotonic()
        except Exception:
            if before is None:
                raise
            # What was read before is still right, only older.
            _log.exception("recommended lists cannot be read again; those from before are served")
            self._read_at = time.monotonic()
        finally:
            self._reading = None


def read_content(
    client: Client, before: ServedContent | None, noted: pa.Table, most_held: int
) -> ServedContent | None:
    """Read what has changed since `before`."""
    columns = client.query(_COLUMNS, parameters={"table": TABLE}).result_rows
    if not columns:
        return None
    lists = _LISTS if ("rules",) in {tuple(row) for row in columns} else _LISTS_BEFORE
    [found] = client.query(_STATE.format(lists=lists)).result_rows
    rows, made_at, model, version, rules = found
    state = TableState(rows, made_at, model, version, rules, lists)
    if not state.rows:
        return None
    now = datetime.now(UTC)
    if before is None or before.state != state:
        before = _read_lists(client, state, now, before, most_held)
    before = replace(before, explorer=read_explorer(client, before.explorer))
    if before.model is None:
        return before
    return _with_fresh(client, before, noted, now)


def _with_fresh(
    client: Client, content: ServedContent, noted: pa.Table, now: datetime
) -> ServedContent:
    import pyarrow as pa
    import pyarrow.compute as pc

    assert content.model is not None  # noqa: S101 - the caller has checked it
    session = pa.scalar(now - SESSION, pa.timestamp("us", "UTC"))
    clicks = pa.concat_tables([read_clicks(client, now), noted])
    clicks = clicks.filter(pc.greater(clicks["event_time"], session))
    made_at = content.state.made_at
    of = (fresh_state(client, made_at), clicks)
    if _is_same(content.fresh_of, of):
        return content
    clicks = clicks.group_by(["user_id", "item_id"]).aggregate([("event_time", "max")])
    clicks = clicks.rename_columns(["user_id", "item_id", "event_time"])
    model, served = content.model, content.served
    found = fresh_lists(client, model, served, made_at, clicks, content.rules, now)
    fresh, folded = _arrays_of(found)
    return replace(content, fresh=fresh, folded=folded, fresh_at=now, fresh_of=of)


def _is_same(one: object, other: tuple[object, pa.Table]) -> bool:
    return isinstance(one, tuple) and one[0] == other[0] and bool(one[1].equals(other[1]))


def _arrays_of(found: FreshLists) -> tuple[UserLists, UserLists]:
    import pyarrow as pa

    rows = found.folded.num_rows
    folded = found.folded.append_column("score", pa.repeat(pa.scalar(0.0), rows))
    folded = folded.append_column("model_rank", pa.repeat(pa.scalar(0, pa.uint16()), rows))
    return UserLists.of(found.ranked), UserLists.of(folded)


def _read_one(client: Client, state: TableState, user: str) -> UserAnswer | None:
    """The list of a user that is not held; None if there is none."""
    rows: pa.Table = client.query_arrow(
        _ROWS.format(lists=state.lists, only=_OF_ONE), parameters={"user": user}, use_strings=True
    )
    if not rows.num_rows:
        return None
    made_at: datetime = rows["computed_at"][0].as_py()
    return UserAnswer(UserLists.of(rows).entries(0), "list", made_at, [])


def _read_lists(
    client: Client,
    state: TableState,
    now: datetime,
    before: ServedContent | None,
    most_held: int,
) -> ServedContent:
    import numpy as np
    import pyarrow as pa

    [(users,)] = client.query(f"SELECT uniqExact(user_id) FROM {TABLE}").result_rows
    query = _ROWS.format(lists=state.lists, only=_HELD if users > most_held else "")
    held = {"most": most_held}
    rows: pa.Table = client.query_arrow(query, parameters=held, use_strings=True)
    lists = UserLists.of(rows)
    firsts = pa.array(lists.ends[:-1])
    made_at = rows["computed_at"].take(firsts).cast(pa.int64()).to_numpy().astype(np.int64)
    served = pa.table({"user_id": lists.users, "history": rows["history"].take(firsts)})
    is_known = (
        before is not None and before.model is not None and before.state.version == state.version
    )
    model = before.model if before is not None and is_known else _model_of(state)
    none = _arrays_of(
        FreshLists(
            rows.select(["user_id", "item_id", "score", "model_rank"]).slice(0, 0), click_rows([])
        )
    )
    popular = [] if model is None else _popular(model)
    return ServedContent(
        state,
        lists,
        made_at,
        served,
        model,
        popular,
        users <= most_held,
        ServedRules.of(state.rules, f"the column rules of {TABLE}"),
        None if before is None else before.explorer,
        *none,
        now,
        None,
    )


def _model_of(state: TableState) -> LoadedModel | None:
    """The model that has made the lists."""
    import recsys

    try:
        # The version is compared below, so that a copy of before is never taken for the model.
        folder: Path = required_champion(unless_away=True)
        found = recsys.load(folder)
    except (RecommendError, recsys.ArtifactError, ArtifactStoreError, LakeStoreError) as error:
        _log.warning("nothing is folded into recommended lists: %s", error)
        return None
    if (found.manifest["model"], found.manifest["version"]) != (state.model, state.version):
        _log.warning(
            "nothing is folded into recommended lists: %s %s has made them, and %s holds another; "
            "materialize recsys/top_n",
            *(state.model, state.version, folder),
        )
        return None
    return found


def _popular(model: LoadedModel) -> list[RankedItem]:
    found = model.recommend_for_items([], ITEMS_A_USER)
    columns = zip(found["item_id"].to_pylist(), found["score"].to_pylist(), strict=True)
    return [RankedItem(item, score, rank) for rank, (item, score) in enumerate(columns, 1)]
