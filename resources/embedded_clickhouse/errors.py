"""Errors in ClickHouse's form: code, name, text, and the HTTP status of each.

Belongs here: errors of the engine, which are read from chDB's text, and errors of the HTTP
interface, which chDB does not have.
"""

from __future__ import annotations

import re
from typing import Self

_ENGINE_TEXT = re.compile(r"Code: (\d+)\. DB::Exception: (.*)", re.DOTALL)
_NAME_AT_END = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?: \(version [^)]*(?:\([^)]*\))?\))?\.?\s*$")
_RESERVE_OF_ENGINE = "min_free_disk_bytes_to_perform_insert"
# The engine adds the name of the file from which it reads the data of an insert; it is our file.
_OF_DATA_FILE = re.compile(
    r"(?:: )?\(in file/uri /dev/fd/\d+\)"
    r"|: While executing File|: data for INSERT was parsed from file"
)

# As in ClickHouse's exceptionCodeToHTTPStatus; all other codes are 500.
_STATUS_OF_NAMES = {
    400: """
        BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE
        CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER
        CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6
        CANNOT_PARSE_INPUT_ASSERTION_FAILED CANNOT_PARSE_UUID DUPLICATE_COLUMN ILLEGAL_COLUMN
        UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE THERE_IS_NO_COLUMN TOO_DEEP_AST
        TOO_BIG_AST UNEXPECTED_AST_STRUCTURE SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH
        VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
    """,
    401: "REQUIRED_PASSWORD",
    403: """
        UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED SET_NON_GRANTED_ROLE ACCESS_DENIED
    """,
    404: """
        UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE
        UNKNOWN_DATABASE UNKNOWN_SETTING UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_ROLE
        UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY
    """,
    408: "TIMEOUT_EXCEEDED",
    413: "QUERY_IS_TOO_LARGE",
    501: "NOT_IMPLEMENTED",
    503: "SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK",
}
_STATUS_OF_NAME = {
    name: status for status, names in _STATUS_OF_NAMES.items() for name in names.split()
}


class ClickHouseError(Exception):
    """An error with ClickHouse's code and name, for example 60 and UNKNOWN_TABLE."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.message = message

    @classmethod
    def from_engine(cls, error: BaseException) -> Self:
        """Read code and name back from chDB's text."""
        text = str(error)
        found = _ENGINE_TEXT.search(text)
        if found is None:
            return cls(1002, "UNKNOWN_EXCEPTION", text)
        code, message = int(found.group(1)), found.group(2)
        # The engine wraps an error in the data of an insert in another error.
        while nested := _ENGINE_TEXT.match(message):
            code, message = int(nested.group(1)), nested.group(2)
        message = _OF_DATA_FILE.sub("", message).rstrip()
        if _RESERVE_OF_ENGINE in message:
            message = (
                "Inserts must leave free what SOCIAL_ASSETS_DISK_RESERVE_BYTES says: make room, or "
                f"set it lower and restart the server. {message}"
            )
        name = "UNKNOWN_EXCEPTION"
        while at_end := _NAME_AT_END.search(message):
            name, message = at_end.group(1), message[: at_end.start()].rstrip()
        return cls(code, name, message)

    @property
    def http_status(self) -> int:
        """The status that a ClickHouse server answers with."""
        return _STATUS_OF_NAME.get(self.name, 500)

    def describe(self, version: str) -> str:
        """The line that a ClickHouse server would send."""
        text = self.message if self.message.endswith(".") else f"{self.message}."
        return f"Code: {self.code}. DB::Exception: {text} ({self.name}) (version {version})\n"
