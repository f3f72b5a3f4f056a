"""The encoding of a text file: finds it, and turns other encodings into UTF-8.

Belongs here: bytes to bytes. Bytes of an encoding with one byte a character stay as they are in
raw, since they can be cut into lines (`transform.single_byte_text` reads them when records are
decoded). Text of the others (UTF-16, Shift-JIS ...) is turned into UTF-8 while it is read.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

import numpy as np

UTF8 = "utf-8"
WESTERN = "cp1252"
"""The encoding of a file that is not UTF-8 and whose bytes beyond ASCII stand alone, as accents do:
what Excel writes in Western Europe. Latin-1 text reads the same."""

_BOMS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_INVALID = "social_assets.invalid"
_SINGLE_BYTE = ("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257")
_MULTI_BYTE = ("shift_jis", "gb18030", "big5", "euc_kr", "euc_jp")
_GUESSED_BYTES = 256 << 10
_TEXT_CONTROLS = b"\t\n\r\f\x1a\x1b"


def without_bom(head: bytes) -> tuple[bytes, str | None]:
    """The begin of a file without its byte order mark, and the encoding that this tells."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :], encoding
    return head, None


def encoding_of(head: bytes) -> str:
    """The encoding of a text that begins so and has no byte order mark.

    UTF-8 unless its bytes speak against it: a text with as many valid as invalid sequences is UTF-8
    with faults, and the records with these are rejected.
    """
    unmarked = unmarked_encoding(head)
    if unmarked != UTF8 or _is_utf8(head) or _is_binary(head):
        return unmarked
    if not _has_runs(head):
        return WESTERN
    # Drains import this module, and files of another alphabet are rare.
    import charset_normalizer

    lines = head[:_GUESSED_BYTES]
    best = charset_normalizer.from_bytes(lines, cp_isolation=[*_SINGLE_BYTE, *_MULTI_BYTE]).best()
    return best.encoding if best is not None else WESTERN


def as_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The same text as UTF-8. What cannot be decoded becomes bytes that are no UTF-8 either, so
    that its record is rejected.
    """
    codecs.register_error(_INVALID, _invalid)
    decoder = codecs.getincrementaldecoder(encoding)(_INVALID)
    for block in blocks:
        yield decoder.decode(block).encode(UTF8, "surrogatepass")
    yield decoder.decode(b"", final=True).encode(UTF8, "surrogatepass")


def _invalid(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


def unmarked_encoding(head: bytes) -> str:
    """UTF-16 if every second byte is zero, as in its ASCII characters; or else UTF-8."""
    buffer = np.frombuffer(head[: _GUESSED_BYTES & ~1], np.uint8)
    if len(buffer) < 4:
        return UTF8
    even, odd = (float(np.mean(buffer[start::2] == 0)) for start in (0, 1))
    if odd > 0.3 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 and odd < 0.05 else UTF8


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder(UTF8)().decode(head)
    except UnicodeDecodeError:
        pass
    else:
        return True
    text = head.decode(UTF8, "replace")
    invalid = text.count("\ufffd") - head.count("\ufffd".encode())
    buffer = np.frombuffer(head, np.uint8)
    valid = len(text) - invalid - np.count_nonzero(buffer < 0x80)
    return bool(valid >= invalid)


def _has_runs(head: bytes) -> bool:
    """Whether most bytes beyond ASCII stand beside another: words of another alphabet."""
    is_high = np.frombuffer(head, np.uint8) >= 0x80
    pairs = np.count_nonzero(is_high[1:] & is_high[:-1])
    return bool(pairs * 2 > np.count_nonzero(is_high))


def _is_binary(head: bytes) -> bool:
    """Whether there are control characters that no text has."""
    buffer = np.frombuffer(head, np.uint8)
    counts = np.bincount(buffer, minlength=256)[:32]
    counts[list(_TEXT_CONTROLS)] = 0
    return bool(counts.sum())
