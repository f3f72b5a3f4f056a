"""What of a record lands: the record, or parts of it, each with the objects around it.

Belongs here: cutting, by the text of the record, so that the bytes of a part are the platform's.
Where the parts stand is declared by the endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from social_assets.contracts.options.explode import levels_of
from social_assets.ingest.connectors.connector import ApiEndpoint
from social_assets.ingest.connectors.engine.answers import CutRecord, elements, span

_KEYED = "data"
"""Where a record that is an object of named elements has them."""


@dataclass(frozen=True)
class LandedRow:
    """A row of the streams: its bytes, and the objects around it, the innermost first, as JSON."""

    raw: bytes = field(repr=False)
    within: bytes = field(default=b"[]", repr=False)


def landed_rows(
    endpoint: ApiEndpoint, record: CutRecord, around: Sequence[CutRecord] = ()
) -> list[LandedRow]:
    """The rows of a record, in the order of the endpoint's `rows`. An array that is not there has
    none. `around` are the objects around the record itself, the innermost first.
    """
    if endpoint.keyed_by:
        return [LandedRow(_keyed(record, endpoint.keyed_by), _within(around))]
    found = []
    for path in endpoint.rows:
        levels = levels_of(path.removesuffix("[]"))[: None if path else 0]
        for part, objects in _parts(record, levels, tuple(around)):
            found.append(LandedRow(part.raw, _within(objects)))
    return found


def _parts(
    record: CutRecord, levels: Sequence[str | None], around: tuple[CutRecord, ...]
) -> Iterator[tuple[CutRecord, tuple[CutRecord, ...]]]:
    if not levels:
        yield record, around
        return
    keys = [level for level in levels[: levels.index(None)] if level is not None]
    text = record.raw.decode()
    found = span(text, keys)
    if found is None or text[found[0]] != "[":
        return
    for element in elements(text, found[0]):
        yield from _parts(element, levels[len(keys) + 1 :], (record, *around))


def _keyed(record: CutRecord, name: str) -> bytes:
    text = record.raw.decode()
    found = span(text, [_KEYED])
    if found is None or text[found[0]] != "[":
        return b"{}"
    named = (
        (element.value.get(name), element)
        for element in elements(text, found[0])
        if isinstance(element.value, dict)
    )
    pairs = (json.dumps(key).encode() + b": " + each.raw for key, each in named if key)
    return b"{" + b", ".join(pairs) + b"}"


def _within(around: Sequence[CutRecord]) -> bytes:
    """The objects without their inner objects, and without arrays of these."""
    return json.dumps([_flat(each.value) for each in around], ensure_ascii=False).encode()


def _flat(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {key: each for key, each in value.items() if _is_flat(each)}


def _is_flat(value: object) -> bool:
    if isinstance(value, list):
        return not any(isinstance(each, dict | list) for each in value)
    return not isinstance(value, dict)
