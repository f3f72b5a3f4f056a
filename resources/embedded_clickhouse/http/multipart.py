"""Reads bodies of type multipart/form-data (RFC 7578) as a stream.

Parts without a file are fields; parts with a file are external data for a query. `request` and
`external_data` interpret them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from resources.embedded_clickhouse.errors import ClickHouseError

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?\bboundary=(?:"([^"]+)"|([^\s;]+))', re.I)
_PARAMETER = r'[;\s]{}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))'
_NAME = re.compile(_PARAMETER.format("name"), re.IGNORECASE)
_FILE_NAME = re.compile(r"[;\s]filename\*?\s*=", re.IGNORECASE)
_LONGEST_HEADERS = 64 * 1024
_LONGEST_FIELDS = 16 * 1024**2
_UNNAMED = "_data"


@dataclass(frozen=True)
class Form:
    """The fields of a form by name, and the files by name with their sizes in bytes."""

    fields: Mapping[str, str]
    files: Mapping[str, int]


@dataclass(frozen=True)
class Part:
    """One part of a form. `content` must be read to its end before the next part is asked for."""

    name: str
    has_file: bool
    content: Iterator[bytes]


def boundary_of(content_type: str) -> bytes | None:
    """The boundary of a form; None for another body. Raises ClickHouseError if it is absent."""
    if not content_type.lower().startswith("multipart/form-data"):
        return None
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise _malformed(f"Content-Type {content_type!r} names no boundary")
    return (found.group(1) or found.group(2)).encode("latin-1")


def read_form(chunks: Iterator[bytes], boundary: bytes, tables: Collection[str] = ()) -> Form:
    """The fields of a form; skips the content of files.

    A part is a file if it has a file name, or its name is one of `tables`.
    """
    fields: dict[str, str] = {}
    files: dict[str, int] = {}
    room = _LONGEST_FIELDS
    for part in read_parts(chunks, boundary):
        if part.has_file or part.name in tables:
            if part.name in files:
                raise _malformed(f"the part {part.name!r} comes twice")
            files[part.name] = sum(len(chunk) for chunk in part.content)
            continue
        value = bytearray()
        for chunk in part.content:
            value += chunk
            if len(value) > room:
                raise _malformed(f"the fields are longer than {_LONGEST_FIELDS} bytes together")
        room -= len(value)
        try:
            fields[part.name] = value.decode()
        except UnicodeDecodeError as error:
            raise _malformed(f"the field {part.name!r} is no UTF-8 ({error})") from error
    return Form(fields, files)


def read_parts(chunks: Iterator[bytes], boundary: bytes) -> Iterator[Part]:
    """The parts of a form in their order. Raises ClickHouseError where the form is malformed."""
    text = _Text(chunks)
    separator = b"\r\n--" + boundary
    for _ in text.until(separator):
        pass
    while not text.starts_with(b"--"):
        headers = b"".join(text.until(b"\r\n\r\n", _LONGEST_HEADERS)).decode("utf-8", "replace")
        disposition = next(
            (line for line in headers.split("\r\n") if _is_disposition(line)),
            "",
        )
        found = _NAME.search(disposition)
        name = _UNNAMED if found is None else found.group(1) or found.group(2) or _UNNAMED
        content = text.until(separator)
        yield Part(
            re.sub(r"\\(.)", r"\1", name), _FILE_NAME.search(disposition) is not None, content
        )
    text.drain()


class _Text:
    """A text in chunks, which is read up to a mark in bounded memory."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        # Each boundary follows the end of a line, apart from the first one.
        self._held = b"\r\n"
        self._at = 0

    def until(self, mark: bytes, longest: int | None = None) -> Iterator[bytes]:
        """The text before the mark; reads past the mark."""
        size = 0
        while True:
            found = self._held.find(mark, self._at)
            end = max(self._at, len(self._held) - len(mark) + 1) if found < 0 else found
            piece, self._at = self._held[self._at : end], end
            size += len(piece)
            if longest is not None and size > longest:
                raise _malformed(f"the headers of a part are longer than {longest} bytes")
            if piece:
                yield piece
            if found >= 0:
                self._at += len(mark)
                return
            self._fill()

    def starts_with(self, mark: bytes) -> bool:
        """Whether the mark comes next."""
        while len(self._held) - self._at < len(mark):
            self._fill()
        return self._held.startswith(mark, self._at)

    def drain(self) -> None:
        """Read the rest, which has no meaning, to its end."""
        for _ in self._chunks:
            pass

    def _fill(self) -> None:
        chunk = next(self._chunks, b"")
        if not chunk:
            raise _malformed("it ends before its last boundary")
        self._held, self._at = self._held[self._at :] + chunk, 0


def _is_disposition(line: str) -> bool:
    return line.lower().startswith("content-disposition:")


def _malformed(reason: str) -> ClickHouseError:
    return ClickHouseError(
        36, "BAD_ARGUMENTS", f"the multipart form can't be read: {reason}; nothing of it was run"
    )
