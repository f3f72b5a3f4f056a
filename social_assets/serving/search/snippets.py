"""The part of a text that a person is shown, and which of its characters match.

Belongs here: places in a text. A mark is a pair of places, so that whoever shows it makes markup of
its own and nothing in a text is ever taken for markup. Words are divided as `search_tables` does it
in SQL; a difference moves marks, and finds no other documents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from social_assets.serving.search.found import Snippet
from social_assets.serving.search.question import SIGNS, ClauseKind
from social_assets.serving.search.terms import Term

LENGTH = 240
"""Characters of a snippet."""
_LONGEST_READ = 20_000
_BEFORE = 60
_CUT_WORD = 15
_MOST_MARKS = 50

_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3038-\u303b\u3040-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc"
    "\U00016fe0-\U00018aff\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)

_Word = tuple[int, int, str]
"""Where a word begins and ends, and the word as it is compared."""


def snippet_of(text: str, terms: Sequence[Term]) -> Snippet:
    """The part of a text around its first match, with marks."""
    read = text[:_LONGEST_READ]
    marks = _joined(sorted(_matches(read, [t for t in terms if not t.clause.is_excluded])))
    begin = _begin(read, marks[0][0] if marks else 0, len(text))
    end = _end(text, begin)
    shown = [
        (max(b, begin) - begin, min(e, end) - begin) for b, e in marks if b < end and e > begin
    ]
    return Snippet(text[begin:end], tuple(shown[:_MOST_MARKS]), begin > 0, end < len(text))


def _matches(text: str, terms: Sequence[Term]) -> Iterator[tuple[int, int]]:
    found = list(_words(text))
    for term in terms:
        if term.clause.kind is ClauseKind.MARKED and term.in_order[0][0] in "#@":
            yield from _marked(text, found, term.in_order[0])
            continue
        wanted = term.in_order
        is_prefix = term.clause.kind is ClauseKind.PREFIX
        last = wanted[-1].lstrip("#@") if is_prefix else wanted[-1]
        for place in range(len(found) - len(wanted) + 1):
            span = found[place : place + len(wanted)]
            if any(word != want for (_, _, word), want in zip(span, wanted[:-1], strict=False)):
                continue
            begin, end, word = span[0][0], span[-1][1], span[-1][2]
            if word == last or (is_prefix and word.startswith(last)):
                yield begin, end
            elif len(wanted) == 1 and len(last) == 1 and last in word and _SPACELESS.match(last):
                at = word.index(last)
                yield begin + at, begin + at + 1


def _marked(text: str, found: Sequence[_Word], wanted: str) -> Iterator[tuple[int, int]]:
    """The places of a hashtag or mention, with its sign."""
    first = next(_words(wanted[1:]), (0, 0, wanted[1:]))[2]
    for begin, end, word in found:
        if word == first and begin and text[begin - 1] in SIGNS:
            yield (
                begin - 1,
                max(end, begin - 1 + len(wanted) if len(first) + 1 < len(wanted) else 0),
            )


def _words(text: str) -> Iterator[_Word]:
    """The words of a text with their places; of runs without spaces each pair of neighbours."""
    begin = 0
    while begin < len(text):
        if not _is_word(text[begin]):
            if unicodedata.category(text[begin]) == "So" and text[begin] != "\ufffd":
                yield begin, begin + 1, _folded(text[begin])
            begin += 1
            continue
        is_spaceless = bool(_SPACELESS.match(text[begin]))
        end = begin + 1
        while (
            end < len(text)
            and _is_word(text[end])
            and (bool(_SPACELESS.match(text[end])) == is_spaceless or _is_mark(text[end]))
        ):
            end += 1
        if not is_spaceless or end - begin == 1:
            yield begin, end, _folded(text[begin:end])
        else:
            for place in range(begin, end - 1):
                yield place, place + 2, _folded(text[place : place + 2])
        begin = end


def _is_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LMN"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    kept = "".join(each for each in plain if not "\u0300" <= each <= "\u036f")
    return unicodedata.normalize("NFC", kept)


def _joined(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places that touch or overlap as one."""
    found: list[tuple[int, int]] = []
    for begin, end in places:
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _begin(text: str, first: int, length: int) -> int:
    """Where the snippet begins: before the first match, at a word if one is near."""
    if length <= LENGTH or first <= _BEFORE:
        return 0
    begin = min(first - _BEFORE, length - LENGTH)
    space = text.find(" ", begin, begin + _CUT_WORD)
    return begin if space < 0 else space + 1


def _end(text: str, begin: int) -> int:
    end = begin + LENGTH
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end - _CUT_WORD, end)
    return end if space < 0 else space
