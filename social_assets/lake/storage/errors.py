"""Errors of the storage of a table: a full disk, an object store that refuses or does not answer.

Belongs here: what the errors of Delta's library mean, and the remedy. Its texts have several lines
and colours; what counts is the store's code, or the last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import DeltaError

from resources.settings.lake_root import LAKE_URL


class LakeDiskError(OSError):
    """The disk is full or read-only; names the table and the remedy. The table is unchanged."""


class LakeStoreError(OSError):
    """The object store of the lake refuses, or does not answer; names the table, what the store
    said, and the remedy.
    """


@contextmanager
def storage_errors(uri: str) -> Iterator[None]:
    """Turn the errors of Delta's and Arrow's libraries about the storage of a table into ours."""
    try:
        yield
    except (LakeDiskError, LakeStoreError):
        raise
    except (DeltaError, OSError) as error:
        if (found := _DISK_ERROR.search(str(error))) is not None:
            raise LakeDiskError(
                f"the lake's table {uri} could not be written: {(found[1] or found[2]).strip()}."
                " The table is as it was. Make room on that disk, or make it writable; the same"
                " command then goes on"
            ) from error
        if "://" in uri and _STORE_ERROR.search(str(error)):
            told = _explained(f"the lake's table {uri}", str(error), LAKE_URL)
            raise LakeStoreError(told) from error
        raise


@contextmanager
def store_errors(thing: str, setting: str, *, of_tables: bool = False) -> Iterator[None]:
    """Turn the errors of Arrow's library about an object store that is no lake into ours.

    `thing` names what is there, and `setting` what names the bucket. `of_tables`: it has tables of
    Delta as well, whose errors are told in the same way.
    """
    try:
        yield
    except LakeStoreError as error:
        if not of_tables or error.__cause__ is None:
            raise
        cause = error.__cause__
        raise LakeStoreError(_explained(thing, str(cause), setting)) from cause
    except OSError as error:
        if _STORE_ERROR.search(str(error)) is None:
            raise
        raise LakeStoreError(_explained(thing, str(error), setting)) from error


# Recognized by its number: the text differs between calls, and between Delta and Arrow.
_DISK_ERROR = re.compile(r"([^:]*)\(os error (?:28|30|122)\)|\[errno (?:28|30|122)\] ([^\[]*)")

_STORE_ERROR = re.compile(r"Error performing [A-Z]+ (https?://[^/?\s]+)|AWS Error \w+")
_CODE = re.compile(r"<Code>(\w+)</Code>|AWS Error (\w+)")
_STATUS = re.compile(r"\b([45]\d\d [A-Z][\w -]*)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_OF_THE_CLOUD = "169.254.169.254"

_CREDENTIALS = (
    "Check the credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the role of "
    "the machine"
)
_REMEDIES = {
    "NoSuchBucket": "Create the bucket, or correct {setting}",
    "AccessDenied": f"{_CREDENTIALS}, and what they may do in the bucket",
    "SignatureDoesNotMatch": _CREDENTIALS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "RequestTimeTooSkewed": "Set the clock of this machine",
    "URL scheme is not allowed": "The endpoint has no TLS; AWS_ALLOW_HTTP=true allows that",
}


def _explained(thing: str, text: str, setting: str) -> str:
    server = (found[1] if (found := _STORE_ERROR.search(text)) else None) or "the store"
    if _OF_THE_CLOUD in text:
        # The library looks for a role of the machine when nothing else gives credentials.
        return f"{thing} cannot be opened: no credentials were found. {_CREDENTIALS}"
    reason = _reason(text)
    remedy = next(
        (
            remedy.format(setting=setting)
            for word, remedy in _REMEDIES.items()
            if word.lower() in reason.replace("_", "").lower()
        ),
        "See that the object store answers (AWS_ENDPOINT_URL, the network)",
    )
    return (
        f"{thing} cannot be read or written: {server} says: {reason}. {remedy}; the "
        "same command then goes on"
    )


def _reason(text: str) -> str:
    """The store's code, the status, or the last line, which is the innermost error."""
    if (code := _CODE.search(text)) is not None:
        return code[1] or code[2]
    lines = [_COLOUR.sub("", line).strip(" ↳") for line in text.splitlines()]
    status = next((found[1] for line in lines if (found := _STATUS.search(line))), None)
    return status or next((line for line in reversed(lines) if line), "nothing")
