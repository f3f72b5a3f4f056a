"""Reads an answer: its JSON, what it means by a platform's rules, the exact bytes of its records.

Belongs here: pure functions on one body. One scan gives a record's bytes and its value; the scanner
is that of Python's `json`, in C, since a page has some hundred records at most and its values are
needed too (for marks, ids and fields).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.declaration.json_path import value_at
from social_assets.ingest.connectors.declaration.meanings import AnswerRule, Meaning

_BLANKS = re.compile(r"[ \t\r\n]*")
TOP_ARRAY = "[]"
_BOM = b"\xef\xbb\xbf"


class UnreadableAnswerError(ValueError):
    """A body is no JSON object, or has no records where they should be: a fault that may pass."""


@dataclass(frozen=True)
class CutRecord:
    """A record: its bytes as they came, and its value."""

    raw: bytes = field(repr=False)
    value: object = field(repr=False)


@dataclass(frozen=True)
class PlatformAnswer:
    """An answer whose body is a JSON object, or an array."""

    status: int
    headers: Mapping[str, str]
    text: str = field(repr=False)
    body: object = field(repr=False)

    def at(self, path: str) -> object:
        """The value at a path; None if there is none."""
        return value_at(self.body, path)


def opened(status: int, headers: Mapping[str, str], body: bytes) -> PlatformAnswer:
    """The answer of a body. Raises UnreadableAnswerError."""
    try:
        text = body.removeprefix(_BOM).decode()
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswerError(f"status {status}, and a body that is no JSON") from error
    if not isinstance(value, dict | list):
        raise UnreadableAnswerError(f"status {status}, and a body that is no JSON object")
    return PlatformAnswer(status, headers, text, value)


_MESSAGES = (
    *("error.message", "detail", "errors.0.detail", "errors.0.message", "title"),
    "error_description",
)
"""Where errors of platforms have their text, best first."""


def message_of(answer: PlatformAnswer) -> str:
    """What an error says, shortened, since the text is the platform's; its status without one."""
    texts = (answer.at(path) for path in _MESSAGES)
    said = (text[:200] for text in texts if isinstance(text, str) and text)
    return next(said, f"status {answer.status}")


def meaning_of(connector: Connector, answer: PlatformAnswer) -> AnswerRule:
    """The rule that fits an answer: one of the platform's, or what its status says."""
    for rule in connector.rules:
        if _fits(rule, answer):
            return rule
    return AnswerRule(_of_status(answer.status))


def _of_status(status: int) -> Meaning:
    if status < 300:
        return Meaning.GOOD
    by_status = {
        401: Meaning.TOKEN_EXPIRED,
        403: Meaning.ACCOUNT_PRIVATE,
        404: Meaning.ACCOUNT_GONE,
        408: Meaning.TRANSIENT,
        410: Meaning.ACCOUNT_GONE,
        429: Meaning.THROTTLED,
    }
    return by_status.get(status, Meaning.TRANSIENT if status >= 500 else Meaning.REFUSED)


def _fits(rule: AnswerRule, answer: PlatformAnswer) -> bool:
    if rule.status and answer.status not in rule.status:
        return False
    if rule.without and answer.at(rule.without) is not None:
        return False
    if not rule.at:
        return True
    value = answer.at(rule.at)
    if value is None:
        return False
    if rule.among and str(value) not in rule.among:
        return False
    return not rule.like or re.search(rule.like, str(value)) is not None


def cut_records(answer: PlatformAnswer, path: str, *, may_be_absent: bool) -> list[CutRecord]:
    """The elements of the array at a path, or the object there. Raises UnreadableAnswerError.

    The path of the body itself is empty; that of an array as the body is TOP_ARRAY.
    """
    if path == TOP_ARRAY and isinstance(answer.body, list):
        return list(elements(answer.text, _after_blanks(answer.text, 0)))
    if not path and isinstance(answer.body, dict):
        raw = answer.text.strip(" \t\r\n").encode()
        return [CutRecord(raw, answer.body)]
    place = span(answer.text, path.split(".")) if path else None
    if place is None or answer.at(path) is None:
        if may_be_absent:
            return []
        raise UnreadableAnswerError(
            f"status {answer.status}, and no records at {path or 'the top'}"
        )
    begin, end = place
    if answer.text[begin] == "{":
        return [CutRecord(answer.text[begin:end].encode(), answer.at(path))]
    if answer.text[begin] != "[":
        raise UnreadableAnswerError(f"status {answer.status}, and {path} is no array or object")
    return list(elements(answer.text, begin))


def elements(text: str, begin: int) -> list[CutRecord]:
    """The elements of the array that begins at a place of a JSON text."""
    found = []
    place = _after_blanks(text, begin + 1)
    while text[place] != "]":
        value, end = _DECODER.raw_decode(text, place)
        found.append(CutRecord(text[place:end].encode(), value))
        place = _after_blanks(text, end)
        if text[place] == ",":
            place = _after_blanks(text, place + 1)
    return found


def span(text: str, keys: list[str]) -> tuple[int, int] | None:
    """Where the value at a path begins and ends. Of a key that is there twice, the last counts."""
    place = _after_blanks(text, 0)
    end = len(text)
    for key in keys:
        if text[place] != "{":
            return None
        found = None
        place = _after_blanks(text, place + 1)
        while text[place] != "}":
            name, place = _DECODER.raw_decode(text, place)
            place = _after_blanks(text, _after_blanks(text, place) + 1)
            _, end = _DECODER.raw_decode(text, place)
            if name == key:
                found = (place, end)
            place = _after_blanks(text, end)
            if text[place] == ",":
                place = _after_blanks(text, place + 1)
        if found is None:
            return None
        place, end = found
    return place, end


def _after_blanks(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder()
